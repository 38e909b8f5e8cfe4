import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Clock } from '../../platform/clock/clock.js';
import type { PageQuery } from '../../web/pagination/page.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { Order } from './order.entity.js';
import type { CreateOrder } from './orders.schemas.js';

/** Every method takes the owner, and every query has the owner in its WHERE (ASVS 8.2.2). */
@Injectable()
export class OrdersService {
  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    private readonly clock: Clock,
  ) {}

  async create(ownerId: string, fields: CreateOrder): Promise<Order> {
    const order = this.orders.create({ id: uuidv7(), ownerId, ...fields, createdAt: this.clock.now() });
    await this.orders.insert(order);
    return order;
  }

  /** Newest first. */
  list(ownerId: string, page: PageQuery): Promise<Order[]> {
    return this.orders.find({
      where: { ownerId, ...(page.after !== undefined && { id: LessThan(page.after) }) },
      order: { id: 'DESC' },
      take: page.limit + 1,
    });
  }

  /** @throws NotFoundError */
  async find(ownerId: string, id: string): Promise<Order> {
    const order = await this.orders.findOneBy({ id, ownerId });
    if (!order) throw new NotFoundError();
    return order;
  }

  /** @throws NotFoundError */
  async remove(ownerId: string, id: string): Promise<void> {
    const { affected } = await this.orders.delete({ id, ownerId });
    if (affected !== 1) throw new NotFoundError();
  }
}

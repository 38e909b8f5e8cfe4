import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, LessThan, Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { NotFoundError } from '../platform/problems/not-found.js';
import type { PageQuery } from '../web/pagination/page.js';
import { Invoice } from './invoice.entity.js';
import type { CreateInvoice } from './invoices.schemas.js';

/** Every query for an owner has the owner in its WHERE (ASVS 8.2.2). */
@Injectable()
export class InvoicesService {
  constructor(
    @InjectRepository(Invoice) private readonly invoices: Repository<Invoice>,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async create(ownerId: string, fields: CreateInvoice): Promise<Invoice> {
    const invoice = this.invoices.create({
      ...fields,
      id: uuidv7(),
      ownerId,
      currency: this.config.INVOICE_CURRENCY,
      createdAt: this.clock.now(),
      paidAt: null,
    });
    await this.invoices.insert(invoice);
    return invoice;
  }

  list(ownerId: string, page: PageQuery): Promise<Invoice[]> {
    return this.#page({ ownerId }, page);
  }

  /** The invoices of all owners. Its route requires a scope of a role. */
  listAll(page: PageQuery): Promise<Invoice[]> {
    return this.#page({}, page);
  }

  /** @throws NotFoundError */
  async find(ownerId: string, id: string): Promise<Invoice> {
    const invoice = await this.invoices.findOneBy({ id, ownerId });
    if (!invoice) throw new NotFoundError();
    return invoice;
  }

  /** @throws NotFoundError */
  async attach(ownerId: string, id: string, document: Buffer): Promise<void> {
    const { affected } = await this.invoices.update({ id, ownerId }, { document });
    if (affected !== 1) throw new NotFoundError();
  }

  /** A second report of the same payment changes nothing. */
  async markPaid(id: string): Promise<void> {
    await this.invoices.update({ id, paidAt: IsNull() }, { paidAt: this.clock.now() });
  }

  #page(where: { ownerId?: string }, { after, limit }: PageQuery): Promise<Invoice[]> {
    return this.invoices.find({
      where: { ...where, ...(after !== undefined && { id: LessThan(after) }) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
  }
}

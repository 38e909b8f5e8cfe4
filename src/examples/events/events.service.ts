import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Principal } from '../../auth/principal.js';
import { Clock } from '../../platform/clock/clock.js';
import { Event } from './event.entity.js';
import type { CreateEvent } from './events.schemas.js';

@Injectable()
export class EventsService {
  constructor(
    @InjectRepository(Event) private readonly events: Repository<Event>,
    private readonly clock: Clock,
  ) {}

  async record(sender: Principal, { type, data }: CreateEvent): Promise<Event> {
    const event = this.events.create({
      id: uuidv7(),
      ownerId: sender.subject,
      apiKeyId: sender.credentialId,
      type,
      data: data ?? null,
      createdAt: this.clock.now(),
    });
    await this.events.insert(event);
    return event;
  }
}

import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import type { Mail } from './mail.service.js';

/** A mail that is written when it is sent, because it contains a one-time link and the queue stores no secret. */
export interface MailRequest {
  /** One address. */
  readonly to: string;
  readonly kind: string;
  /** The id of the row that the mail is about. */
  readonly about?: string;
}

export type QueuedRequest = MailRequest & { readonly queuedAt: Date };

/**
 * Stores a fresh link in the transaction of `manager`, and returns the mail with it. Each attempt to send calls it again,
 * so an earlier link must keep working. Undefined: the mail is no longer needed.
 */
export type MailWriter = (manager: EntityManager, request: QueuedRequest) => Promise<Mail | undefined>;

/** Who writes the mails of which kind. A room registers its kinds. */
@Injectable()
export class MailKinds {
  readonly #writers = new Map<string, MailWriter>();

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** @throws if the kind is taken */
  register(kind: string, writer: MailWriter): void {
    if (this.#writers.has(kind)) throw new Error(`mails of the kind "${kind}" are registered twice`);
    this.#writers.set(kind, writer);
  }

  /** @throws for a kind that only a newer version of the server knows */
  async write(request: QueuedRequest): Promise<Mail | undefined> {
    const writer = this.#writers.get(request.kind);
    if (!writer) throw new Error(`mails of the kind "${request.kind}" are unknown`);
    return this.dataSource.transaction((manager) => writer(manager, request));
  }
}

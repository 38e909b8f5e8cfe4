import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

export type SigningAlgorithm = 'EdDSA' | 'ES256';
export type SigningKeyStatus = 'next' | 'active' | 'retired';

/** A public key (RFC 7517). */
export interface PublicJwk {
  kty: string;
  crv: string;
  x: string;
  /** For ES256 only. */
  y?: string;
}

/** A key pair that signs access tokens. It is published before it signs, and until its last token has expired. */
@Entity('signing_keys')
@Index('signing_keys_one_next_key', ['algorithm'], { unique: true, where: `status = 'next'` })
@Index('signing_keys_one_active_key', ['algorithm'], { unique: true, where: `status = 'active'` })
@Check('signing_keys_algorithm_known', `algorithm IN ('EdDSA', 'ES256')`)
@Check('signing_keys_status_known', `status IN ('next', 'active', 'retired')`)
export class SigningKey {
  /** RFC 7638 thumbprint of the public key. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'signing_keys_pkey' })
  kid: string;

  @Column('text')
  algorithm: SigningAlgorithm;

  @Column('text')
  status: SigningKeyStatus;

  @Column('jsonb', { name: 'public_jwk' })
  publicJwk: PublicJwk;

  /** The private JWK, sealed under ENCRYPTION_SECRETS. */
  @Column('bytea', { name: 'private_jwk_sealed' })
  privateJwkSealed: Buffer;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'retired_at', nullable: true })
  retiredAt: Date | null;
}

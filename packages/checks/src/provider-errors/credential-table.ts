import type { ProviderErrorRow } from './provider-error.ts'

const ANY = ['any'] as const

/** What is wrong with a secret or a key before anything is sent. */
export const CREDENTIAL_ERRORS = {
  secret_unset: {
    kind: 'configuration',
    providers: ANY,
    when: [{ finding: 'secret_unset' }],
    cause: 'there is no value behind the reference of {secret}',
    fix: 'set it where this process reads it (a container, a service unit and a shell have environments of their own); `scopegate secrets check` lists all',
    examples: [{ stage: 'credential', finding: 'secret_unset' }],
  },
  secret_empty: {
    kind: 'configuration',
    providers: ANY,
    when: [{ finding: 'secret_empty' }, { stage: 'credential', fact: 'secret-empty' }],
    cause: 'the reference is set, and its value is empty: {secret}',
    fix: 'fill it in; an empty variable is most often one that the starting shell did not have',
    examples: [{ stage: 'credential', finding: 'secret_empty' }],
  },
  secret_placeholder: {
    kind: 'configuration',
    providers: ANY,
    when: [{ finding: 'secret_placeholder' }, { stage: 'credential', fact: 'secret-placeholder' }],
    cause: '{secret} is a placeholder that nobody filled in',
    fix: 'put the real secret in its place; a shell or a template that should have filled it in did not run',
    examples: [{ stage: 'credential', finding: 'secret_placeholder' }],
  },
  key_passphrase: {
    kind: 'configuration',
    providers: ANY,
    when: [
      { finding: 'key_passphrase' },
      {
        nodeCode: [
          'ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED',
          'ERR_OSSL_BAD_DECRYPT',
          'ERR_OSSL_EVP_BAD_DECRYPT',
          'ERR_MISSING_PASSPHRASE',
        ],
      },
    ],
    cause: 'the private key is encrypted, and no passphrase or a wrong one is set',
    fix: 'set `authentication.keyPassphrase`, by reference to a secret; keys are imported with `scopegate key import --passphrase-file`',
    examples: [
      { finding: 'key_passphrase' },
      { nodeCode: 'ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED' },
      { nodeCode: 'ERR_OSSL_BAD_DECRYPT' },
    ],
  },
  key_unreadable: {
    kind: 'configuration',
    providers: ANY,
    when: [
      { finding: 'key_unreadable' },
      { nodeCode: ['ERR_OSSL_UNSUPPORTED', 'ERR_OSSL_PEM_NO_START_LINE', 'ERR_INVALID_ARG_VALUE'] },
    ],
    cause:
      'the private key cannot be read: no PEM or JWK, cut off, or with line breaks that came out as `\\n`',
    fix: 'give the file itself (`file:…`) in place of its text in a variable; `openssl pkey -in key.pem -noout` must read it',
    examples: [{ finding: 'key_unreadable' }, { nodeCode: 'ERR_OSSL_UNSUPPORTED' }],
  },
  key_certificate_mismatch: {
    kind: 'configuration',
    providers: ANY,
    when: [
      { finding: 'key_certificate_mismatch' },
      { nodeCode: ['ERR_OSSL_X509_KEY_VALUES_MISMATCH'] },
    ],
    cause: 'the certificate does not belong to the private key',
    fix: 'give the two of one pair: `openssl x509 -in cert.pem -noout -pubkey` and `openssl pkey -in key.pem -pubout` must be equal',
    examples: [
      { finding: 'key_certificate_mismatch' },
      { nodeCode: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' },
    ],
  },
  certificate_expired: {
    kind: 'configuration',
    providers: ANY,
    when: [{ finding: 'certificate_expired' }],
    cause: 'the certificate of {connection} has expired',
    fix: 'make a new one, register it at the provider, then `scopegate key rotate`',
    examples: [{ finding: 'certificate_expired' }],
  },
} as const satisfies Record<string, ProviderErrorRow>

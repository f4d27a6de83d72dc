/* oxlint-disable max-lines */
// Generated from openapi.json by `npm run contract`.

export interface paths {
  '/v1/webhooks': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List webhooks */
    get: operations['webhooks_list']
    put?: never
    /** Create a webhook */
    post: operations['webhooks_create']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/webhooks/by-uid/{uid}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Read a webhook by its uid */
    get: operations['webhooks_byUid']
    /** Create or replace a webhook by its uid */
    put: operations['webhooks_upsert']
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/webhooks/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Read a webhook */
    get: operations['webhooks_get']
    put?: never
    post?: never
    /** Delete a webhook */
    delete: operations['webhooks_remove']
    options?: never
    head?: never
    /** Change a webhook */
    patch: operations['webhooks_change']
    trace?: never
  }
  '/v1/webhooks/{id}/disable': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Disable a webhook */
    post: operations['webhooks_disable']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/webhooks/{id}/enable': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Enable a webhook */
    post: operations['webhooks_enable']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/webhooks/{id}/pause': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Pause a webhook: what it would get is kept until it is resumed */
    post: operations['webhooks_pause']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/webhooks/{id}/resume': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Resume a paused webhook */
    post: operations['webhooks_resume']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/webhooks/{id}/verify': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Ask the receiver of a webhook for its consent */
    post: operations['webhooks_verify']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/webhooks/{id}/test': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Send a sample event to a webhook */
    post: operations['webhooks_test']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/webhooks/{id}/secrets': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List the secrets of a webhook */
    get: operations['webhooks_listSecrets']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/webhooks/{id}/secrets/rotate': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Give a webhook a new secret */
    post: operations['webhooks_rotate']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/webhooks/{id}/secrets/{secret}/reveal': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Reveal a secret */
    post: operations['webhooks_reveal']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/tenants': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List tenants */
    get: operations['tenants_list']
    put?: never
    /** Create a tenant */
    post: operations['tenants_create']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/tenants/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Read a tenant */
    get: operations['tenants_get']
    put?: never
    post?: never
    /** Delete a tenant and all it has */
    delete: operations['tenants_remove']
    options?: never
    head?: never
    /** Change a tenant */
    patch: operations['tenants_change']
    trace?: never
  }
  '/v1/keys': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List API keys */
    get: operations['keys_list']
    put?: never
    /** Make an API key */
    post: operations['keys_create']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/keys/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Read an API key */
    get: operations['keys_get']
    put?: never
    post?: never
    /** End an API key */
    delete: operations['keys_remove']
    options?: never
    head?: never
    /** Change the name, the addresses or the end of an API key */
    patch: operations['keys_change']
    trace?: never
  }
  '/v1/keys/{id}/rotate': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Give an API key another secret */
    post: operations['keys_rotate']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/audit': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List changes */
    get: operations['audit_list']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/sources': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List sources */
    get: operations['sources_list']
    put?: never
    /** Connect topics of your own */
    post: operations['sources_create']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/sources/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Read a source and how far it is */
    get: operations['sources_get']
    put?: never
    post?: never
    /** Remove a source */
    delete: operations['sources_remove']
    options?: never
    head?: never
    /** Change a source */
    patch: operations['sources_change']
    trace?: never
  }
  '/v1/events': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List events, without their data */
    get: operations['history_events']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/events/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Read an event */
    get: operations['history_event']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/deliveries': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List deliveries */
    get: operations['history_deliveries']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/deliveries/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Read a delivery and its attempts */
    get: operations['history_delivery']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/deliveries/{id}/explanation': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Say why a delivery stands where it stands */
    get: operations['history_explanation']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/dead-letters': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List deliveries that ended without success */
    get: operations['history_deadLetters']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/attempts': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List attempts */
    get: operations['history_attempts']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/stats': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Count attempts over time */
    get: operations['history_stats']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/dead-letters/discard': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Discard dead letters */
    post: operations['deadletters_discard']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/filters/test': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Try a filter */
    post: operations['filters_test']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/event-types': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List event types */
    get: operations['eventtypes_list']
    put?: never
    /** Register an event type */
    post: operations['eventtypes_create']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/event-types/{type}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Read an event type */
    get: operations['eventtypes_get']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    /** Change an event type */
    patch: operations['eventtypes_change']
    trace?: never
  }
  '/v1/event-types/{type}/deprecate': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Deprecate an event type */
    post: operations['eventtypes_deprecate']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/event-types/{type}/archive': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Archive an event type */
    post: operations['eventtypes_archive']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/event-types/{type}/restore': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Make an event type active again */
    post: operations['eventtypes_restore']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/event-types/{type}/versions': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List the versions of the schema */
    get: operations['eventtypes_versions']
    put?: never
    /** Add a version of the schema */
    post: operations['eventtypes_addVersion']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/event-types/{type}/versions/{number}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Read a version of the schema */
    get: operations['eventtypes_version']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/event-types/{type}/check': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Check data, or a new schema, against an event type */
    post: operations['eventtypes_check']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/replays': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List replays */
    get: operations['replays_list']
    put?: never
    /** Send deliveries again */
    post: operations['replays_create']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/replays/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Read a replay and how far it is */
    get: operations['replays_get']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    /** Change the rate of a replay */
    patch: operations['replays_change']
    trace?: never
  }
  '/v1/replays/{id}/pause': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Pause a replay */
    post: operations['replays_pause']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/replays/{id}/resume': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Go on with a replay */
    post: operations['replays_resume']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/replays/{id}/cancel': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** End a replay */
    post: operations['replays_cancel']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/poison': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List records that were not accepted */
    get: operations['poison_list']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/poison/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Read a record that was not accepted */
    get: operations['poison_get']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/poison/{id}/redrive': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Put a record back on its topic */
    post: operations['poison_redrive']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/alerts': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List alerts */
    get: operations['alerts_list']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/alerts/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Read an alert, and who was told of it */
    get: operations['alerts_get']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/alert-rules': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List rules for alerts */
    get: operations['alertrules_list']
    put?: never
    /** Make a rule for alerts */
    post: operations['alertrules_create']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/alert-rules/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Read a rule for alerts */
    get: operations['alertrules_get']
    put?: never
    post?: never
    /** Remove a rule, or undo what was changed of a built-in one */
    delete: operations['alertrules_remove']
    options?: never
    head?: never
    /** Change a rule for alerts */
    patch: operations['alertrules_change']
    trace?: never
  }
  '/v1/alert-channels': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List channels for alerts */
    get: operations['alertchannels_list']
    put?: never
    /** Have alerts told to a channel */
    post: operations['alertchannels_create']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/alert-channels/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Read a channel for alerts */
    get: operations['alertchannels_get']
    put?: never
    post?: never
    /** Remove a channel for alerts */
    delete: operations['alertchannels_remove']
    options?: never
    head?: never
    /** Change a channel for alerts */
    patch: operations['alertchannels_change']
    trace?: never
  }
  '/v1/alert-channels/{id}/test': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Send a test to a channel for alerts */
    post: operations['alertchannels_test']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/alert-silences': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** List silences */
    get: operations['alertsilences_list']
    put?: never
    /** Silence alerts for a time */
    post: operations['alertsilences_create']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/alert-silences/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Read a silence */
    get: operations['alertsilences_get']
    put?: never
    post?: never
    /** End a silence */
    delete: operations['alertsilences_remove']
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/publish': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Publish events
     * @description Answered once the in-sync replicas of Kafka have all of them. One event or an array, plain or as CloudEvents, structured, batched or binary (`ce-` headers, the data as the body). All are accepted, or none.
     */
    post: operations['publish']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/publish/{key}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Publish events, signed
     * @description For a producer that signs, and for any sender of Standard Webhooks: the path names a key of kind `signing`. The body is one event or an array, plain (its time may be called `timestamp`) or as CloudEvents in JSON.
     */
    post: operations['publish_signed']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
}
export type webhooks = Record<string, never>
export interface components {
  schemas: {
    CreateWebhookBody: {
      /**
       * Format: uri
       * @description Absolute http or https URL.
       */
      url: string
      /** @description Event types, and patterns such as agent.* or *. */
      events: string[]
      /** @description Only events that fit are delivered: a pattern over attributes and data, see docs/filters.md. */
      filter?: {
        [key: string]: unknown
      } | null
      /** @description whsec_ + base64 of 24 to 64 bytes, whsk_ + base64 of an Ed25519 private key, or 16 to 128 characters. Made here when it is absent. */
      secret?: string | null
      /**
       * @description What a secret that is made here signs by: v1 (HMAC-SHA256) or v1a (Ed25519, a key pair).
       * @enum {string|null}
       */
      signature?: 'v1' | 'v1a' | null
      /** @description Your own name for it, once among your webhooks. */
      uid?: string | null
      description?: string | null
      /** @description Your own labels, by name. */
      metadata?: {
        [key: string]: string
      } | null
      /** @description What is absent has its default. schedule_ms names the delays one by one, instead of attempts, interval_ms, factor and max_delay_ms; the preset "standard" is the schedule of Standard Webhooks. */
      retry_policy?: {
        attempts?: number | null
        timeout_ms?: number | null
        interval_ms?: number | null
        factor?: number | null
        jitter?: number | null
        max_delay_ms?: number | null
        max_age_ms?: number | null
        schedule_ms?: number[] | null
        /** @enum {unknown} */
        preset?: 'default' | 'standard' | null
      } | null
      /** @description Requests per second unless named otherwise; no limit unless set. */
      rate_limit?: {
        requests?: number
        /** @enum {unknown} */
        per?: 'second' | 'minute'
      } | null
      /** @description Requests at once; unless set, what the deployment allows. */
      max_concurrency?: number | null
      /** @description Requests go to addresses of these ranges alone; unless set, to all that the deployment permits. */
      allowed_cidrs?: string[] | null
      /** @description No request goes to addresses of these ranges; a name that has one of them is refused. */
      denied_cidrs?: string[] | null
      /**
       * @description Lowest version of TLS that is spoken; unless set, what the deployment says.
       * @enum {string|null}
       */
      min_tls_version?: '1.2' | '1.3' | null
      /** @description Bodies are encrypted to this key, see docs/encryption.md. */
      encryption?: {
        /** @description The receiver's public key as a JWK: EC (P-256, P-384, P-521), OKP (X25519), or RSA of 2048 to 4096 bits. Its kid, unless it has one, is its thumbprint. */
        key?: {
          [key: string]: unknown
        }
        /** @description Names of the webhook's headers that go inside. */
        headers?: string[] | null
        /**
         * @description Whether attributes that the format puts into headers go inside.
         * @default false
         */
        attributes?: boolean | null
      } | null
      /** @description What requests show to the receiver beside the signature. Kept sealed, shown redacted, replaced as a whole. */
      authentication?: {
        /** @enum {unknown} */
        type?: 'bearer' | 'basic' | 'api_key'
        /** @description Of bearer: Authorization: Bearer <token>. */
        token?: string | null
        /** @description Of basic. */
        username?: string | null
        /** @description Of basic. */
        password?: string | null
        /** @description Of api_key: the header that has the value; x-api-key unless set. */
        header?: string | null
        /** @description Of api_key. */
        value?: string | null
      } | null
      /** @description How shared secrets sign: by Standard Webhooks with HMAC-SHA512 (hs512), or by hex HMAC-SHA256 over the body alone in one header, as GitHub does after sha256= (hub) or as it is (hex). Without it by Standard Webhooks (v1). Replaced as a whole. */
      signing?: {
        /** @enum {unknown} */
        type?: 'standard_sha512' | 'hub' | 'hex'
        /** @description Of hub and hex: the header that has the signature; x-hub-signature-256 or x-signature unless set. */
        header?: string | null
      } | null
      /** @description What https connections to the receiver are made with, in PEM (docs/egress.md). */
      tls?: {
        /** @description The CAs that alone are trusted in this receiver, 16 at most; unless set, those of the deployment. */
        ca?: string | null
        /** @description What is shown to the receiver (mTLS), intermediate certificates after it. */
        certificate?: string | null
        /** @description Of the certificate, without a passphrase. Kept sealed, shown redacted. */
        key?: string | null
      } | null
      /**
       * @description Whether requests carry the header traceparent, by which the receiver goes on with the trace.
       * @default false
       */
      send_traceparent?: boolean | null
      /** @description It is disabled after so long of nothing but failures; 0: never. Unless set, what the deployment says: 5 days by default. */
      disable_after_seconds?: number | null
      /** @description Sent with every request. Values are kept sealed and shown redacted. */
      headers?: {
        [key: string]: string
      } | null
      /**
       * @default POST
       * @enum {string|null}
       */
      method?: 'POST' | 'PUT' | 'PATCH' | null
      /**
       * @description What is sent in order, one after another: nothing, events of one partitionkey, or all (docs/ordering.md).
       * @default none
       * @enum {string|null}
       */
      ordering?: 'none' | 'key' | 'webhook' | null
      /**
       * @description What a request carries, see docs/formats.md.
       * @default standard
       * @enum {string|null}
       */
      format?: 'standard' | 'cloudevents' | 'cloudevents_binary' | 'enveloped' | 'raw' | 'thin' | null
    }
    CreatedWebhookView: {
      id: string
      /** @description Your own name for it, once among your webhooks. */
      uid: string | null
      /** @enum {string} */
      status: 'pending' | 'active' | 'paused' | 'disabled'
      /**
       * Format: uri
       * @description Absolute http or https URL.
       */
      url: string
      /** @enum {string} */
      method: 'POST' | 'PUT' | 'PATCH'
      /** @description Names with redacted values. */
      headers: {
        [key: string]: string
      }
      /** @description Event types, and patterns such as agent.* or *. */
      events: string[]
      /** @enum {string} */
      ordering: 'none' | 'key' | 'webhook'
      /** @description Only events that fit are delivered: a pattern over attributes and data, see docs/filters.md. */
      filter: {
        [key: string]: unknown
      } | null
      /** @enum {string} */
      format: 'standard' | 'cloudevents' | 'cloudevents_binary' | 'enveloped' | 'raw' | 'thin'
      retry_policy: {
        attempts?: number
        timeout_ms?: number
        interval_ms?: number
        factor?: number
        jitter?: number
        max_delay_ms?: number
        max_age_ms?: number
        schedule_ms?: number[] | null
      }
      /** @description Requests per second unless named otherwise; no limit unless set. */
      rate_limit: {
        requests?: number
        /** @enum {unknown} */
        per?: 'second' | 'minute'
      } | null
      /** @description Requests at once; unless set, what the deployment allows. */
      max_concurrency: number | null
      /** @description Requests go to addresses of these ranges alone; unless set, to all that the deployment permits. */
      allowed_cidrs: string[] | null
      /** @description No request goes to addresses of these ranges; a name that has one of them is refused. */
      denied_cidrs: string[] | null
      /**
       * @description Lowest version of TLS that is spoken; unless set, what the deployment says.
       * @enum {string|null}
       */
      min_tls_version: '1.2' | '1.3' | null
      /** @description Bodies are encrypted to this key, see docs/encryption.md. */
      encryption: {
        /** @description The receiver's public key as a JWK: EC (P-256, P-384, P-521), OKP (X25519), or RSA of 2048 to 4096 bits. Its kid, unless it has one, is its thumbprint. */
        key?: {
          [key: string]: unknown
        }
        /** @description Names of the webhook's headers that go inside. */
        headers?: string[] | null
        /**
         * @description Whether attributes that the format puts into headers go inside.
         * @default false
         */
        attributes?: boolean | null
      } | null
      /** @description What requests show to the receiver beside the signature. Kept sealed, shown redacted, replaced as a whole. */
      authentication: {
        /** @enum {unknown} */
        type?: 'bearer' | 'basic' | 'api_key'
        /** @description Of bearer: Authorization: Bearer <token>. */
        token?: string | null
        /** @description Of basic. */
        username?: string | null
        /** @description Of basic. */
        password?: string | null
        /** @description Of api_key: the header that has the value; x-api-key unless set. */
        header?: string | null
        /** @description Of api_key. */
        value?: string | null
      } | null
      /** @description How shared secrets sign: by Standard Webhooks with HMAC-SHA512 (hs512), or by hex HMAC-SHA256 over the body alone in one header, as GitHub does after sha256= (hub) or as it is (hex). Without it by Standard Webhooks (v1). Replaced as a whole. */
      signing: {
        /** @enum {unknown} */
        type?: 'standard_sha512' | 'hub' | 'hex'
        /** @description Of hub and hex: the header that has the signature; x-hub-signature-256 or x-signature unless set. */
        header?: string | null
      } | null
      /** @description What https connections to the receiver are made with, in PEM (docs/egress.md). */
      tls: {
        /** @description The CAs that alone are trusted in this receiver, 16 at most; unless set, those of the deployment. */
        ca?: string | null
        /** @description What is shown to the receiver (mTLS), intermediate certificates after it. */
        certificate?: string | null
        /** @description Of the certificate, without a passphrase. Kept sealed, shown redacted. */
        key?: string | null
      } | null
      /**
       * @description Whether requests carry the header traceparent, by which the receiver goes on with the trace.
       * @default false
       */
      send_traceparent: boolean
      /** @description It is disabled after so long of nothing but failures; 0: never. Unless set, what the deployment says: 5 days by default. */
      disable_after_seconds: number | null
      /**
       * @description Of its requests: healthy, degraded (the last one failed), or failing (nothing but failures for so long that it will be disabled), see docs/webhook-health.md.
       * @enum {string}
       */
      health: 'healthy' | 'degraded' | 'failing'
      /**
       * Format: date-time
       * @description When the first failure after the last success ended; null if it is healthy.
       */
      failing_since: string | null
      /** @description Why Posthorn disabled it: failing (nothing but failures for too long) or gone (it answered 410). */
      disabled_reason: {
        /** @enum {unknown} */
        rule?: 'failing' | 'gone'
        /** Format: date-time */
        disabled_at?: string
        /** Format: date-time */
        failing_since?: string | null
      } | null
      /** @description What the receiver said to the handshake since the webhook has this URL, see docs/ownership.md; null: it was not asked. */
      ownership: {
        /**
         * Format: date-time
         * @description When it agreed; null: not yet.
         */
        verified_at?: string | null
        /** @description Requests a minute that it permits; null: no bound. */
        allowed_rate?: number | null
        attempts?: number
        /** Format: date-time */
        last_attempt_at?: string | null
        /**
         * Format: date-time
         * @description Null: it is asked no more, unless by POST /v1/webhooks/{id}/verify.
         */
        next_attempt_at?: string | null
        status_code?: number | null
        /** @description What was wrong the last time. */
        error?: string | null
        /** @description What to do about it. */
        advice?: string | null
      } | null
      description: string | null
      metadata: {
        [key: string]: string
      }
      /** Format: date-time */
      created_at: string
      /** Format: date-time */
      updated_at: string
      version: number
      /** @description What to verify with: of a key pair the public key, whpk_. */
      secret: string
    }
    WebhookView: {
      id: string
      /** @description Your own name for it, once among your webhooks. */
      uid: string | null
      /** @enum {string} */
      status: 'pending' | 'active' | 'paused' | 'disabled'
      /**
       * Format: uri
       * @description Absolute http or https URL.
       */
      url: string
      /** @enum {string} */
      method: 'POST' | 'PUT' | 'PATCH'
      /** @description Names with redacted values. */
      headers: {
        [key: string]: string
      }
      /** @description Event types, and patterns such as agent.* or *. */
      events: string[]
      /** @enum {string} */
      ordering: 'none' | 'key' | 'webhook'
      /** @description Only events that fit are delivered: a pattern over attributes and data, see docs/filters.md. */
      filter: {
        [key: string]: unknown
      } | null
      /** @enum {string} */
      format: 'standard' | 'cloudevents' | 'cloudevents_binary' | 'enveloped' | 'raw' | 'thin'
      retry_policy: {
        attempts?: number
        timeout_ms?: number
        interval_ms?: number
        factor?: number
        jitter?: number
        max_delay_ms?: number
        max_age_ms?: number
        schedule_ms?: number[] | null
      }
      /** @description Requests per second unless named otherwise; no limit unless set. */
      rate_limit: {
        requests?: number
        /** @enum {unknown} */
        per?: 'second' | 'minute'
      } | null
      /** @description Requests at once; unless set, what the deployment allows. */
      max_concurrency: number | null
      /** @description Requests go to addresses of these ranges alone; unless set, to all that the deployment permits. */
      allowed_cidrs: string[] | null
      /** @description No request goes to addresses of these ranges; a name that has one of them is refused. */
      denied_cidrs: string[] | null
      /**
       * @description Lowest version of TLS that is spoken; unless set, what the deployment says.
       * @enum {string|null}
       */
      min_tls_version: '1.2' | '1.3' | null
      /** @description Bodies are encrypted to this key, see docs/encryption.md. */
      encryption: {
        /** @description The receiver's public key as a JWK: EC (P-256, P-384, P-521), OKP (X25519), or RSA of 2048 to 4096 bits. Its kid, unless it has one, is its thumbprint. */
        key?: {
          [key: string]: unknown
        }
        /** @description Names of the webhook's headers that go inside. */
        headers?: string[] | null
        /**
         * @description Whether attributes that the format puts into headers go inside.
         * @default false
         */
        attributes?: boolean | null
      } | null
      /** @description What requests show to the receiver beside the signature. Kept sealed, shown redacted, replaced as a whole. */
      authentication: {
        /** @enum {unknown} */
        type?: 'bearer' | 'basic' | 'api_key'
        /** @description Of bearer: Authorization: Bearer <token>. */
        token?: string | null
        /** @description Of basic. */
        username?: string | null
        /** @description Of basic. */
        password?: string | null
        /** @description Of api_key: the header that has the value; x-api-key unless set. */
        header?: string | null
        /** @description Of api_key. */
        value?: string | null
      } | null
      /** @description How shared secrets sign: by Standard Webhooks with HMAC-SHA512 (hs512), or by hex HMAC-SHA256 over the body alone in one header, as GitHub does after sha256= (hub) or as it is (hex). Without it by Standard Webhooks (v1). Replaced as a whole. */
      signing: {
        /** @enum {unknown} */
        type?: 'standard_sha512' | 'hub' | 'hex'
        /** @description Of hub and hex: the header that has the signature; x-hub-signature-256 or x-signature unless set. */
        header?: string | null
      } | null
      /** @description What https connections to the receiver are made with, in PEM (docs/egress.md). */
      tls: {
        /** @description The CAs that alone are trusted in this receiver, 16 at most; unless set, those of the deployment. */
        ca?: string | null
        /** @description What is shown to the receiver (mTLS), intermediate certificates after it. */
        certificate?: string | null
        /** @description Of the certificate, without a passphrase. Kept sealed, shown redacted. */
        key?: string | null
      } | null
      /**
       * @description Whether requests carry the header traceparent, by which the receiver goes on with the trace.
       * @default false
       */
      send_traceparent: boolean
      /** @description It is disabled after so long of nothing but failures; 0: never. Unless set, what the deployment says: 5 days by default. */
      disable_after_seconds: number | null
      /**
       * @description Of its requests: healthy, degraded (the last one failed), or failing (nothing but failures for so long that it will be disabled), see docs/webhook-health.md.
       * @enum {string}
       */
      health: 'healthy' | 'degraded' | 'failing'
      /**
       * Format: date-time
       * @description When the first failure after the last success ended; null if it is healthy.
       */
      failing_since: string | null
      /** @description Why Posthorn disabled it: failing (nothing but failures for too long) or gone (it answered 410). */
      disabled_reason: {
        /** @enum {unknown} */
        rule?: 'failing' | 'gone'
        /** Format: date-time */
        disabled_at?: string
        /** Format: date-time */
        failing_since?: string | null
      } | null
      /** @description What the receiver said to the handshake since the webhook has this URL, see docs/ownership.md; null: it was not asked. */
      ownership: {
        /**
         * Format: date-time
         * @description When it agreed; null: not yet.
         */
        verified_at?: string | null
        /** @description Requests a minute that it permits; null: no bound. */
        allowed_rate?: number | null
        attempts?: number
        /** Format: date-time */
        last_attempt_at?: string | null
        /**
         * Format: date-time
         * @description Null: it is asked no more, unless by POST /v1/webhooks/{id}/verify.
         */
        next_attempt_at?: string | null
        status_code?: number | null
        /** @description What was wrong the last time. */
        error?: string | null
        /** @description What to do about it. */
        advice?: string | null
      } | null
      description: string | null
      metadata: {
        [key: string]: string
      }
      /** Format: date-time */
      created_at: string
      /** Format: date-time */
      updated_at: string
      version: number
    }
    PatchWebhookBody: {
      /**
       * Format: uri
       * @description Absolute http or https URL.
       */
      url?: string
      /** @description Event types, and patterns such as agent.* or *. */
      events?: string[]
      /** @description Merged by name; null removes a field, or the filter. */
      filter?: {
        [key: string]: unknown
      } | null
      /** @description Replaces all secrets there were, at once. */
      secret?: string
      /** @description Your own name for it, once among your webhooks. */
      uid?: string | null
      description?: string | null
      /** @description Merged by name; null removes an entry, or all of them. */
      metadata?: {
        [key: string]: string | null
      } | null
      /** @description What is absent has its default. schedule_ms names the delays one by one, instead of attempts, interval_ms, factor and max_delay_ms; the preset "standard" is the schedule of Standard Webhooks. */
      retry_policy?: {
        attempts?: number | null
        timeout_ms?: number | null
        interval_ms?: number | null
        factor?: number | null
        jitter?: number | null
        max_delay_ms?: number | null
        max_age_ms?: number | null
        schedule_ms?: number[] | null
        /** @enum {unknown} */
        preset?: 'default' | 'standard' | null
      } | null
      /** @description Requests per second unless named otherwise; no limit unless set. */
      rate_limit?: {
        requests?: number
        /** @enum {unknown} */
        per?: 'second' | 'minute'
      } | null
      /** @description Requests at once; unless set, what the deployment allows. */
      max_concurrency?: number | null
      /** @description Requests go to addresses of these ranges alone; unless set, to all that the deployment permits. */
      allowed_cidrs?: string[] | null
      /** @description No request goes to addresses of these ranges; a name that has one of them is refused. */
      denied_cidrs?: string[] | null
      /**
       * @description Lowest version of TLS that is spoken; unless set, what the deployment says.
       * @enum {string|null}
       */
      min_tls_version?: '1.2' | '1.3' | null
      /** @description Bodies are encrypted to this key, see docs/encryption.md. */
      encryption?: {
        /** @description The receiver's public key as a JWK: EC (P-256, P-384, P-521), OKP (X25519), or RSA of 2048 to 4096 bits. Its kid, unless it has one, is its thumbprint. */
        key?: {
          [key: string]: unknown
        }
        /** @description Names of the webhook's headers that go inside. */
        headers?: string[] | null
        /**
         * @description Whether attributes that the format puts into headers go inside.
         * @default false
         */
        attributes?: boolean | null
      } | null
      /** @description What requests show to the receiver beside the signature. Kept sealed, shown redacted, replaced as a whole. */
      authentication?: {
        /** @enum {unknown} */
        type?: 'bearer' | 'basic' | 'api_key'
        /** @description Of bearer: Authorization: Bearer <token>. */
        token?: string | null
        /** @description Of basic. */
        username?: string | null
        /** @description Of basic. */
        password?: string | null
        /** @description Of api_key: the header that has the value; x-api-key unless set. */
        header?: string | null
        /** @description Of api_key. */
        value?: string | null
      } | null
      /** @description How shared secrets sign: by Standard Webhooks with HMAC-SHA512 (hs512), or by hex HMAC-SHA256 over the body alone in one header, as GitHub does after sha256= (hub) or as it is (hex). Without it by Standard Webhooks (v1). Replaced as a whole. */
      signing?: {
        /** @enum {unknown} */
        type?: 'standard_sha512' | 'hub' | 'hex'
        /** @description Of hub and hex: the header that has the signature; x-hub-signature-256 or x-signature unless set. */
        header?: string | null
      } | null
      /** @description What https connections to the receiver are made with, in PEM (docs/egress.md). */
      tls?: {
        /** @description The CAs that alone are trusted in this receiver, 16 at most; unless set, those of the deployment. */
        ca?: string | null
        /** @description What is shown to the receiver (mTLS), intermediate certificates after it. */
        certificate?: string | null
        /** @description Of the certificate, without a passphrase. Kept sealed, shown redacted. */
        key?: string | null
      } | null
      /**
       * @description Whether requests carry the header traceparent, by which the receiver goes on with the trace.
       * @default false
       */
      send_traceparent?: boolean | null
      /** @description It is disabled after so long of nothing but failures; 0: never. Unless set, what the deployment says: 5 days by default. */
      disable_after_seconds?: number | null
      /** @description Merged by name; null removes an entry, or all of them. */
      headers?: {
        [key: string]: string | null
      } | null
      /** @enum {string} */
      status?: 'active' | 'disabled'
      /**
       * @default POST
       * @enum {string|null}
       */
      method?: 'POST' | 'PUT' | 'PATCH' | null
      /**
       * @description What is sent in order, one after another: nothing, events of one partitionkey, or all (docs/ordering.md).
       * @default none
       * @enum {string|null}
       */
      ordering?: 'none' | 'key' | 'webhook' | null
      /**
       * @description What a request carries, see docs/formats.md.
       * @default standard
       * @enum {string|null}
       */
      format?: 'standard' | 'cloudevents' | 'cloudevents_binary' | 'enveloped' | 'raw' | 'thin' | null
    }
    TestWebhookBody: {
      /** @description A type of the catalogue; without it, one that the webhook takes. */
      type?: string | null
    }
    TestView: {
      /** @description For GET /v1/deliveries/{id}. */
      delivery: string
      /** @description The event, as it is sent. */
      event: {
        [key: string]: unknown
      }
    }
    SecretView: {
      id: string
      /** @enum {string} */
      signature: 'v1' | 'v1a'
      /** Format: date-time */
      created_at: string
      /**
       * Format: date-time
       * @description Until then it signs beside the newer one.
       */
      expires_at: string | null
    }
    RotateSecretBody: {
      /** @description whsec_ + base64 of 24 to 64 bytes, whsk_ + base64 of an Ed25519 private key, or 16 to 128 characters. Made here when it is absent. */
      secret?: string | null
      /**
       * @description What a secret that is made here signs by: v1 (HMAC-SHA256) or v1a (Ed25519, a key pair).
       * @enum {string|null}
       */
      signature?: 'v1' | 'v1a' | null
      /**
       * @description How long the secrets before it sign too.
       * @default 86400
       */
      overlap_seconds?: number | null
    }
    RevealedSecretView: {
      id: string
      /** @enum {string} */
      signature: 'v1' | 'v1a'
      /** Format: date-time */
      created_at: string
      /**
       * Format: date-time
       * @description Until then it signs beside the newer one.
       */
      expires_at: string | null
      /** @description What to verify with: of a key pair the public key, whpk_. */
      secret: string
    }
    CreateTenantBody: {
      id: string
      description?: string | null
      quotas?: {
        /** @description null: no limit. */
        webhooks?: number | null
        /** @description null: no limit. */
        unindexed_filters?: number | null
        /** @description null: no limit. */
        events_per_second?: number | null
      } | null
      /**
       * @description What is done with events of types that are not in the catalogue.
       * @default accept
       * @enum {string|null}
       */
      unknown_event_types?: 'accept' | 'refuse' | null
    }
    DeletionView: {
      /** Format: date-time */
      started_at: string
      /** Format: date-time */
      finished_at: string | null
      webhooks: number
      keys: number
      history_rows: number
    }
    TenantView: {
      id: string
      /** @enum {string} */
      status: 'active' | 'deleting' | 'deleted'
      description: string | null
      quotas: {
        /** @description null: no limit. */
        webhooks?: number | null
        /** @description null: no limit. */
        unindexed_filters?: number | null
        /** @description null: no limit. */
        events_per_second?: number | null
      }
      /** @enum {string} */
      unknown_event_types: 'accept' | 'refuse'
      deletion: components['schemas']['DeletionView'] | null
      /** Format: date-time */
      created_at: string
      /** Format: date-time */
      updated_at: string
      version: number
    }
    PatchTenantBody: {
      description?: string | null
      quotas?: {
        /** @description null: no limit. */
        webhooks?: number | null
        /** @description null: no limit. */
        unindexed_filters?: number | null
        /** @description null: no limit. */
        events_per_second?: number | null
      } | null
      /**
       * @description What is done with events of types that are not in the catalogue.
       * @default accept
       * @enum {string|null}
       */
      unknown_event_types?: 'accept' | 'refuse' | null
    }
    CreateKeyBody: {
      /** @description What it is for. */
      name: string
      /** @description admin: all; publish: send events; read: look at all but secrets. */
      roles: ('admin' | 'publish' | 'read')[]
      /**
       * @description bearer: the key is sent; signing: what is published is signed with it, by Standard Webhooks.
       * @default bearer
       * @enum {string|null}
       */
      kind?: 'bearer' | 'signing' | null
      /** @description For kind signing: the secret that the sender has, whsec_ + base64 of 24 to 64 bytes, or its public key, whpk_. Made here when it is absent. */
      secret?: string | null
      /**
       * @description platform: for every tenant. Only platform keys make such.
       * @default tenant
       * @enum {string|null}
       */
      scope?: 'tenant' | 'platform' | null
      /** @description CIDRs that it may be used from. */
      allowed_ips?: string[] | null
      /** Format: date-time */
      expires_at?: string | null
    }
    CreatedKeyView: {
      id: string
      /**
       * @description bearer: the key is sent; signing: what is published is signed with it, by Standard Webhooks.
       * @enum {string}
       */
      kind: 'bearer' | 'signing'
      /** @enum {string} */
      scope: 'tenant' | 'platform'
      tenant: string | null
      name: string
      /** @description How it begins. */
      prefix: string
      roles: ('admin' | 'publish' | 'read')[]
      allowed_ips: string[]
      /** Format: date-time */
      expires_at: string | null
      /**
       * Format: date-time
       * @description The minute of the last request with it.
       */
      last_used_at: string | null
      /** Format: date-time */
      created_at: string
      version: number
      /** @description What is sent; of kind signing the secret, or the public key that was given. */
      key: string
    }
    KeyView: {
      id: string
      /**
       * @description bearer: the key is sent; signing: what is published is signed with it, by Standard Webhooks.
       * @enum {string}
       */
      kind: 'bearer' | 'signing'
      /** @enum {string} */
      scope: 'tenant' | 'platform'
      tenant: string | null
      name: string
      /** @description How it begins. */
      prefix: string
      roles: ('admin' | 'publish' | 'read')[]
      allowed_ips: string[]
      /** Format: date-time */
      expires_at: string | null
      /**
       * Format: date-time
       * @description The minute of the last request with it.
       */
      last_used_at: string | null
      /** Format: date-time */
      created_at: string
      version: number
    }
    PatchKeyBody: {
      /** @description What it is for. */
      name?: string
      /** @description CIDRs that it may be used from. */
      allowed_ips?: string[] | null
      /** Format: date-time */
      expires_at?: string | null
    }
    RotateKeyBody: {
      /** @description For kind signing: the secret that the sender has, whsec_ + base64 of 24 to 64 bytes, or its public key, whpk_. Made here when it is absent. */
      secret?: string | null
    }
    AuditView: {
      seq: number
      /** Format: date-time */
      at: string
      tenant: string | null
      /** @description platform: the key of the environment. */
      key: string
      address: string
      request_id: string
      action: string
      subject: string
      before: {
        [key: string]: unknown
      } | null
      after: {
        [key: string]: unknown
      } | null
    }
    CreateSourceBody: {
      /** @description Name of the one topic to read; or give a pattern. */
      topic?: string | null
      /** @description Regular expression that matches whole names of topics. */
      pattern?: string | null
      /**
       * @description What the values of the records are.
       * @default json
       * @enum {string|null}
       */
      value?: 'json' | 'bytes' | null
      /**
       * @description earliest, latest, or an RFC 3339 time: where a topic is read from that was never read before.
       * @default latest
       */
      start?: string | null
      /** @description Where tenant, type, id, source, subject, key, time and contenttype come from: a text, {"header": name}, {"pointer": "/a/b"} or {"record": "key" | "key_base64" | "topic"}. tenant and type must be given. */
      event: Record<string, never>
    }
    SourceView: {
      id: string
      /** @enum {string} */
      status: 'active' | 'paused'
      /** @description Name of the one topic to read; or give a pattern. */
      topic: string | null
      /** @description Regular expression that matches whole names of topics. */
      pattern: string | null
      /**
       * @description What the values of the records are.
       * @default json
       * @enum {string}
       */
      value: 'json' | 'bytes'
      /**
       * @description earliest, latest, or an RFC 3339 time: where a topic is read from that was never read before.
       * @default latest
       */
      start: string
      event: Record<string, never>
      /** Format: date-time */
      created_at: string
      /** Format: date-time */
      updated_at: string
      version: number
    }
    SourceDetailView: {
      id: string
      /** @enum {string} */
      status: 'active' | 'paused'
      /** @description Name of the one topic to read; or give a pattern. */
      topic: string | null
      /** @description Regular expression that matches whole names of topics. */
      pattern: string | null
      /**
       * @description What the values of the records are.
       * @default json
       * @enum {string}
       */
      value: 'json' | 'bytes'
      /**
       * @description earliest, latest, or an RFC 3339 time: where a topic is read from that was never read before.
       * @default latest
       */
      start: string
      event: Record<string, never>
      /** Format: date-time */
      created_at: string
      /** Format: date-time */
      updated_at: string
      version: number
      /** @description The consumer group that reads it. */
      group: string
      /** @description Processes that read it; null: Kafka did not answer. */
      readers: number | null
      /** @description Of topics read so far; null: Kafka did not answer. */
      lag: unknown[] | null
    }
    PatchSourceBody: {
      /** @description Name of the one topic to read; or give a pattern. */
      topic?: string | null
      /** @description Regular expression that matches whole names of topics. */
      pattern?: string | null
      /**
       * @description What the values of the records are.
       * @default json
       * @enum {string|null}
       */
      value?: 'json' | 'bytes' | null
      /**
       * @description earliest, latest, or an RFC 3339 time: where a topic is read from that was never read before.
       * @default latest
       */
      start?: string | null
      /** @description Where tenant, type, id, source, subject, key, time and contenttype come from: a text, {"header": name}, {"pointer": "/a/b"} or {"record": "key" | "key_base64" | "topic"}. tenant and type must be given. */
      event?: Record<string, never>
      /** @enum {string} */
      status?: 'active' | 'paused'
    }
    ListedEventView: {
      id: string
      source: string
      type: string
      /** Format: date-time */
      time: string
      datacontenttype: string
      partitionkey?: string
      subject?: string
      dataschema?: string
      extensions?: {
        [key: string]: string
      }
      /** Format: date-time */
      accepted_at: string
    }
    EventView: {
      id: string
      source: string
      type: string
      /** Format: date-time */
      time: string
      datacontenttype: string
      partitionkey?: string
      subject?: string
      dataschema?: string
      extensions?: {
        [key: string]: string
      }
      /** Format: date-time */
      accepted_at: string
      /** @description Any JSON value. */
      data?: Record<string, never>
      data_base64?: string
      deliveries: {
        [key: string]: number
      }
    }
    DeliveryView: {
      id: string
      webhook: string
      event: {
        [key: string]: string
      }
      run: string
      /** @enum {string} */
      status: 'pending' | 'retry' | 'delivered' | 'exhausted' | 'expired' | 'gone' | 'discarded'
      attempts_made: number
      /** Format: date-time */
      next_attempt_at: string | null
      /** Format: date-time */
      accepted_at: string
      /** Format: date-time */
      updated_at: string
      last_error_class: string | null
      last_status_code: number | null
      /**
       * Format: date-time
       * @description When its dead letter was discarded.
       */
      discarded_at: string | null
      /** @description Id of the key that discarded it. */
      discarded_by: string | null
    }
    AttemptView: {
      run: string
      attempt: number
      webhook_version: number
      outcome: string
      discard_reason: string | null
      /** Format: date-time */
      due_at: string
      /** Format: date-time */
      started_at: string
      /** Format: date-time */
      finished_at: string
      duration_ms: number
      url: string | null
      status_code: number | null
      error_class: string | null
      error: string | null
      advice: string | null
      response_body: string | null
      /** Format: date-time */
      next_attempt_at: string | null
      trace_id: string | null
      span_id: string | null
      /** @description Where the trace is shown, if the deployment says where. */
      trace_url: string | null
      remote_address: string | null
      tls_version: string | null
      /** Format: date-time */
      certificate_expires_at: string | null
      /** @description How long each step took: dns_ms, connect_ms, tls_ms, wait_ms, read_ms. */
      phases: {
        [key: string]: number
      } | null
    }
    DeliveryWithAttemptsView: {
      id: string
      webhook: string
      event: {
        [key: string]: string
      }
      run: string
      /** @enum {string} */
      status: 'pending' | 'retry' | 'delivered' | 'exhausted' | 'expired' | 'gone' | 'discarded'
      attempts_made: number
      /** Format: date-time */
      next_attempt_at: string | null
      /** Format: date-time */
      accepted_at: string
      /** Format: date-time */
      updated_at: string
      last_error_class: string | null
      last_status_code: number | null
      /**
       * Format: date-time
       * @description When its dead letter was discarded.
       */
      discarded_at: string | null
      /** @description Id of the key that discarded it. */
      discarded_by: string | null
      attempts: components['schemas']['AttemptView'][]
    }
    ExplanationView: {
      delivery: string
      webhook: string
      /** @enum {string} */
      status: 'pending' | 'retry' | 'delivered' | 'exhausted' | 'expired' | 'gone' | 'discarded'
      /** @enum {string} */
      reason:
        | 'delivered'
        | 'exhausted'
        | 'expired'
        | 'gone'
        | 'discarded'
        | 'webhook_pending'
        | 'webhook_paused'
        | 'webhook_disabled'
        | 'webhook_deleted'
        | 'behind_key'
        | 'waits_for_retry'
        | 'circuit_open'
        | 'rate_limit'
        | 'under_way'
        | 'overdue'
      /** @description The reason as a sentence. */
      because: string
      /** @description What to do about it; null: nothing. */
      advice: string | null
      /** Format: date-time */
      next_attempt_at: string | null
      attempts_made: number
      /** @description The last one that was made. */
      last_attempt: components['schemas']['AttemptView'] | null
      /** @description Delivery of the same key that has to end first. */
      behind: string | null
    }
    ListedAttemptView: {
      run: string
      attempt: number
      webhook_version: number
      outcome: string
      discard_reason: string | null
      /** Format: date-time */
      due_at: string
      /** Format: date-time */
      started_at: string
      /** Format: date-time */
      finished_at: string
      duration_ms: number
      url: string | null
      status_code: number | null
      error_class: string | null
      error: string | null
      advice: string | null
      response_body: string | null
      /** Format: date-time */
      next_attempt_at: string | null
      trace_id: string | null
      span_id: string | null
      /** @description Where the trace is shown, if the deployment says where. */
      trace_url: string | null
      remote_address: string | null
      tls_version: string | null
      /** Format: date-time */
      certificate_expires_at: string | null
      /** @description How long each step took: dns_ms, connect_ms, tls_ms, wait_ms, read_ms. */
      phases: {
        [key: string]: number
      } | null
      delivery: string
      webhook: string
    }
    StatsBucketView: {
      /** Format: date-time */
      start: string
      attempts: number
      outcomes: {
        [key: string]: number
      }
      success_rate: number | null
      mean_duration_ms: number | null
      max_duration_ms: number | null
    }
    StatsView: {
      webhook: string | null
      /** @enum {string} */
      step: 'minute' | 'hour' | 'day'
      /** Format: date-time */
      from: string
      /** Format: date-time */
      to: string
      data: components['schemas']['StatsBucketView'][]
    }
    DiscardDeadLettersBody: {
      /** @description Ids of deliveries. Nothing else is chosen then. */
      deliveries?: string[]
      /** @description Id of a webhook, which may be deleted. */
      webhook?: string
      /** @description An event type, or a pattern such as agent.*. */
      event_type?: string
      /** @description What the deliveries came to; unless given, any of these. */
      status?: ('exhausted' | 'expired' | 'gone')[]
      /**
       * Format: date-time
       * @description Events accepted at this time or later.
       */
      from?: string
      /**
       * Format: date-time
       * @description Events accepted before this time; unless given, now.
       */
      to?: string
      /**
       * @description Counts only: nothing is discarded.
       * @default false
       */
      dry_run?: boolean
    }
    DiscardedView: {
      /** @description How many were discarded by this request; of a dry run, would be. */
      discarded: number
      /** @description One request discards 10,000 at most: there are more, ask again. */
      more: boolean
    }
    TestFilterBody: {
      /** @description The pattern, applied to the root of the event. */
      pattern: {
        [key: string]: unknown
      }
      /** @description Any JSON object, such as {"type": …, "data": …}. */
      event: {
        [key: string]: unknown
      }
    }
    FilterMissView: {
      /** @description JSON Pointer into the pattern. */
      pointer: string
      message: string
    }
    FilterTestView: {
      matches: boolean
      why: components['schemas']['FilterMissView'][]
    }
    CreateEventTypeBody: {
      type: string
      /**
       * @default tenant
       * @enum {string}
       */
      scope?: 'tenant' | 'platform'
      description?: string | null
      /** @description JSON Schema of the data: 2020-12, or draft-07 by $schema. */
      schema?: Record<string, never>
      /** @description Data that fits the schema. */
      example?: Record<string, never>
      /**
       * @description What is done with events that do not fit.
       * @default off
       * @enum {string}
       */
      mode?: 'off' | 'warn' | 'enforce'
    }
    EventTypeDetailView: {
      type: string
      /** @enum {string} */
      scope: 'tenant' | 'platform' | 'built_in'
      /** @enum {string} */
      status: 'active' | 'deprecated' | 'archived'
      /** @enum {string} */
      mode: 'off' | 'warn' | 'enforce'
      description: string | null
      /** @description Number of the newest version of the schema; 0 without one. */
      schema_version: number
      /**
       * Format: date-time
       * @description null: built in.
       */
      created_at: string | null
      /**
       * Format: date-time
       * @description null: built in.
       */
      updated_at: string | null
      /** @description Grows with every change; 0: built in. */
      version: number
      schema: Record<string, never> | null
      example: Record<string, never> | null
    }
    EventTypeView: {
      type: string
      /** @enum {string} */
      scope: 'tenant' | 'platform' | 'built_in'
      /** @enum {string} */
      status: 'active' | 'deprecated' | 'archived'
      /** @enum {string} */
      mode: 'off' | 'warn' | 'enforce'
      description: string | null
      /** @description Number of the newest version of the schema; 0 without one. */
      schema_version: number
      /**
       * Format: date-time
       * @description null: built in.
       */
      created_at: string | null
      /**
       * Format: date-time
       * @description null: built in.
       */
      updated_at: string | null
      /** @description Grows with every change; 0: built in. */
      version: number
    }
    PatchEventTypeBody: {
      description?: string | null
      /** @description Data that fits the schema. */
      example?: Record<string, never>
      /**
       * @description What is done with events that do not fit.
       * @enum {string}
       */
      mode?: 'off' | 'warn' | 'enforce'
    }
    AddVersionBody: {
      /** @description JSON Schema of the data: 2020-12, or draft-07 by $schema. */
      schema: Record<string, never>
      /** @description Data that fits the schema. */
      example?: Record<string, never>
      /**
       * @description Take a version that breaks the one before.
       * @default false
       */
      allow_breaking?: boolean
    }
    AddedVersionView: {
      number: number
      schema: Record<string, never>
      example: Record<string, never> | null
      breaks: unknown[]
      /**
       * Format: date-time
       * @description null: built in.
       */
      created_at: string | null
      /** @description What receivers may get that the version before did not allow. */
      news: unknown[]
      /** @description Keywords of the schema that have no meaning. */
      warnings: unknown[]
    }
    SchemaVersionSummaryView: {
      number: number
      /** @description It refuses what the version before allowed. */
      breaking: boolean
      /**
       * Format: date-time
       * @description null: built in.
       */
      created_at: string | null
    }
    SchemaVersionView: {
      number: number
      schema: Record<string, never>
      example: Record<string, never> | null
      breaks: unknown[]
      /**
       * Format: date-time
       * @description null: built in.
       */
      created_at: string | null
    }
    CheckEventTypeBody: {
      /** @description JSON Schema of the data: 2020-12, or draft-07 by $schema. */
      schema?: Record<string, never>
      /** @description Any JSON value: the data of an event. */
      data?: Record<string, never>
    }
    EventTypeCheckView: {
      /** @description All that the present version allows is allowed. */
      compatible: boolean
      /** @description What publishers may send and is refused. */
      breaks: unknown[]
      /** @description What receivers may get that the present version does not allow. */
      news: unknown[]
      /** @description Keywords of the schema that have no meaning. */
      warnings: unknown[]
      /** @description Faults of the data. */
      faults: unknown[]
    }
    CreateReplayBody: {
      /** @description Ids of deliveries, whatever they came to. Nothing else is chosen then. */
      deliveries?: string[]
      /**
       * @description history: deliveries there were; log: every event that the webhook takes as it is now.
       * @default history
       * @enum {string}
       */
      source?: 'history' | 'log'
      /** @description Id of a webhook. The log is replayed to one webhook. */
      webhook?: string
      /** @description An event type, or a pattern such as agent.*. */
      event_type?: string
      /** @description What the deliveries came to; unless given, everything that ended without success. */
      status?: ('delivered' | 'exhausted' | 'expired' | 'gone' | 'discarded')[]
      /**
       * Format: date-time
       * @description Events accepted at this time or later.
       */
      from?: string
      /**
       * Format: date-time
       * @description Events accepted before this time; unless given, now.
       */
      to?: string
      /**
       * @description Counts only: nothing is sent.
       * @default false
       */
      dry_run?: boolean
      /**
       * @description Deliveries a second.
       * @default 100
       */
      rate?: number
    }
    ReplayView: {
      id: string
      /** @enum {string} */
      status: 'queued' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed'
      /** @description Ids of deliveries, whatever they came to. Nothing else is chosen then. */
      deliveries: string[] | null
      /** @enum {string|null} */
      source: 'history' | 'log' | null
      /** @description Id of a webhook. The log is replayed to one webhook. */
      webhook: string | null
      /** @description An event type, or a pattern such as agent.*. */
      event_type: string | null
      delivery_status: ('delivered' | 'exhausted' | 'expired' | 'gone' | 'discarded')[] | null
      /** Format: date-time */
      from: string | null
      /** Format: date-time */
      to: string | null
      dry_run: boolean
      rate: number
      /** @description Deliveries, or records of the log, to look at. */
      total: number | null
      /** @description Of these, how many were looked at. */
      examined: number
      /** @description Of these, deliveries to be sent. */
      matched: number
      /** @description Sent to the queue of the webhook. */
      sent: number
      /** @description Delivered or under way, or its event or webhook is gone. */
      skipped: number
      /** @description Why it failed. */
      failure: string | null
      /** Format: date-time */
      created_at: string
      /** Format: date-time */
      updated_at: string
      /** Format: date-time */
      finished_at: string | null
    }
    PatchReplayBody: {
      /**
       * @description Deliveries a second.
       * @default 100
       */
      rate?: number
    }
    PoisonView: {
      id: string
      /** @enum {string} */
      status: 'open' | 'redriven'
      /** @description null: nobody that is known. */
      tenant: string | null
      /** @description Without prefix; of a topic of your own the whole name. */
      topic: string
      partition: number
      offset: number
      /**
       * Format: date-time
       * @description When the log took it.
       */
      at: string
      reason: string
      detail: string
      pointers: string[]
      /** @description The source that read it. */
      source: string | null
      /** @description The only webhook that it was set aside for. */
      webhook: string | null
      /** @description How many times it was set aside. */
      count: number
      /** @description The id it had when it was redriven before. */
      previous: string | null
      /** @description Whether it can be put back as it was. */
      redrivable: boolean
      /** Format: date-time */
      redriven_at: string | null
      /** @description Id of the key that was used; platform: that of the environment. */
      redriven_by: string | null
      key: string | null
      headers: {
        [key: string]: string
      }
      /** @description Bytes of the value. */
      size: number
      /** @description The value; in a list its first 4,096 bytes, and empty where it was too large to keep. */
      value_base64: string
    }
    AlertView: {
      id: string
      /** @description Id of the rule: of a built-in one the name of its metric. */
      rule: string
      /** @enum {string} */
      metric:
        | 'webhook_success_rate'
        | 'tenant_success_rate'
        | 'platform_success_rate'
        | 'webhook_failing'
        | 'dead_letters'
        | 'poison'
        | 'refused_addresses'
        | 'certificate_expiring'
        | 'parked_half_used'
        | 'wrong_keys'
        | 'retries_overdue'
        | 'consumer_stuck'
        | 'under_replicated'
        | 'retention_half_used'
      /** @enum {string} */
      severity: 'warning' | 'critical'
      /** @enum {string} */
      status: 'firing' | 'resolved'
      /** @description null: the platform as a whole. */
      tenant: string | null
      /** @description null: no webhook alone. */
      webhook: string | null
      /** @description What else it is about, such as a group and a topic. */
      subject: string | null
      /** @description What was found when it began. */
      value: number
      /** @description It began beyond this value. */
      threshold: number
      /** @description 0: nothing was counted, it is how it was then. */
      window_seconds: number
      /** @description What else was found, by the metric. */
      details: {
        [key: string]: unknown
      }
      /** @description The same in a sentence. */
      summary: string
      /** Format: date-time */
      fired_at: string
      /** Format: date-time */
      resolved_at: string | null
      /** @enum {string|null} */
      resolved_by: 'recovered' | 'inactive' | null
    }
    AlertNotificationView: {
      /** @description Id of the channel. */
      channel: string
      /** @enum {string} */
      what: 'firing' | 'repeat' | 'resolved' | 'test'
      /** @enum {string} */
      status: 'waiting' | 'sent' | 'failed' | 'silenced'
      tries: number
      /** @description Why the last try failed. */
      error: string | null
      /** Format: date-time */
      created_at: string
      /** Format: date-time */
      ended_at: string | null
    }
    AlertDetailView: {
      id: string
      /** @description Id of the rule: of a built-in one the name of its metric. */
      rule: string
      /** @enum {string} */
      metric:
        | 'webhook_success_rate'
        | 'tenant_success_rate'
        | 'platform_success_rate'
        | 'webhook_failing'
        | 'dead_letters'
        | 'poison'
        | 'refused_addresses'
        | 'certificate_expiring'
        | 'parked_half_used'
        | 'wrong_keys'
        | 'retries_overdue'
        | 'consumer_stuck'
        | 'under_replicated'
        | 'retention_half_used'
      /** @enum {string} */
      severity: 'warning' | 'critical'
      /** @enum {string} */
      status: 'firing' | 'resolved'
      /** @description null: the platform as a whole. */
      tenant: string | null
      /** @description null: no webhook alone. */
      webhook: string | null
      /** @description What else it is about, such as a group and a topic. */
      subject: string | null
      /** @description What was found when it began. */
      value: number
      /** @description It began beyond this value. */
      threshold: number
      /** @description 0: nothing was counted, it is how it was then. */
      window_seconds: number
      /** @description What else was found, by the metric. */
      details: {
        [key: string]: unknown
      }
      /** @description The same in a sentence. */
      summary: string
      /** Format: date-time */
      fired_at: string
      /** Format: date-time */
      resolved_at: string | null
      /** @enum {string|null} */
      resolved_by: 'recovered' | 'inactive' | null
      /** @description Of channels of the caller, the latest first. */
      notifications: components['schemas']['AlertNotificationView'][]
    }
    CreateAlertRuleBody: {
      /** @description Beyond it an alert fires. */
      threshold?: number | null
      /** @description Back at this value it ends. */
      clear?: number | null
      /**
       * @description For what is counted within a window.
       * @enum {number|null}
       */
      window_seconds?: 10 | 60 | 300 | 600 | 1800 | 3600 | 21600 | 86400 | null
      /** @description So long beyond it until it fires. */
      for_seconds?: number | null
      /** @enum {string|null} */
      severity?: 'warning' | 'critical' | null
      /** @default true */
      enabled?: boolean | null
      description?: string | null
      /**
       * @description What is watched.
       * @enum {string}
       */
      metric:
        | 'webhook_success_rate'
        | 'tenant_success_rate'
        | 'platform_success_rate'
        | 'webhook_failing'
        | 'dead_letters'
        | 'poison'
        | 'refused_addresses'
        | 'certificate_expiring'
        | 'parked_half_used'
        | 'wrong_keys'
        | 'retries_overdue'
        | 'consumer_stuck'
        | 'under_replicated'
        | 'retention_half_used'
      /** @description Id of the only webhook that it is about. */
      webhook?: string | null
      /**
       * @description Whose it is: the tenant's, or the platform's.
       * @default tenant
       * @enum {string|null}
       */
      scope?: 'tenant' | 'platform' | null
    }
    AlertRuleView: {
      id: string
      /** @description Its id is its metric, and deleting it undoes what was changed. */
      built_in: boolean
      /** @enum {string} */
      scope: 'tenant' | 'platform'
      tenant: string | null
      /** @enum {string} */
      metric:
        | 'webhook_success_rate'
        | 'tenant_success_rate'
        | 'platform_success_rate'
        | 'webhook_failing'
        | 'dead_letters'
        | 'poison'
        | 'refused_addresses'
        | 'certificate_expiring'
        | 'parked_half_used'
        | 'wrong_keys'
        | 'retries_overdue'
        | 'consumer_stuck'
        | 'under_replicated'
        | 'retention_half_used'
      webhook: string | null
      threshold: number
      clear: number
      /** @description 0: nothing is counted, it is how it is now. */
      window_seconds: number
      for_seconds: number
      /** @enum {string} */
      severity: 'warning' | 'critical'
      enabled: boolean
      description: string | null
      /**
       * Format: date-time
       * @description null: a built-in one that nobody has changed.
       */
      updated_at: string | null
      /** @description 0: a built-in one that nobody has changed. */
      version: number
    }
    PatchAlertRuleBody: {
      /** @description Beyond it an alert fires. */
      threshold?: number | null
      /** @description Back at this value it ends. */
      clear?: number | null
      /**
       * @description For what is counted within a window.
       * @enum {number|null}
       */
      window_seconds?: 10 | 60 | 300 | 600 | 1800 | 3600 | 21600 | 86400 | null
      /** @description So long beyond it until it fires. */
      for_seconds?: number | null
      /** @enum {string|null} */
      severity?: 'warning' | 'critical' | null
      /** @default true */
      enabled?: boolean | null
      description?: string | null
    }
    CreateAlertChannelBody: {
      /** @description Ids of rules, or metrics: webhook_success_rate, tenant_success_rate … Absent or empty: every one. */
      rules?: string[] | null
      severities?: ('warning' | 'critical')[] | null
      /** @description Of the platform's own: only of these. */
      tenants?: string[] | null
      /** @description Id of a webhook: only about it. */
      webhook?: string | null
      name: string | null
      /** @description Of email: who is written to. */
      to?: string[] | null
      /** @description Of slack: the incoming webhook. It is never shown again. */
      url?: string | null
      /**
       * @description So long it is waited for more to be told at once.
       * @default 10
       */
      group_seconds?: number | null
      /**
       * @description What still fires is told again after so long; 0: never.
       * @default 14400
       */
      repeat_seconds?: number | null
      /**
       * @description Whether the end of an alert is told, too.
       * @default true
       */
      send_resolved?: boolean | null
      /** @default true */
      enabled?: boolean | null
      /** @enum {string} */
      type: 'email' | 'slack'
      /**
       * @description Whose it is: the tenant's, or the platform's.
       * @default tenant
       * @enum {string|null}
       */
      scope?: 'tenant' | 'platform' | null
    }
    AlertChannelView: {
      /** @description Empty: every one. */
      rules: string[]
      severities: ('warning' | 'critical')[]
      tenants: string[]
      webhook: string | null
      id: string
      /** @enum {string} */
      type: 'email' | 'slack'
      /** @enum {string} */
      scope: 'tenant' | 'platform'
      tenant: string | null
      name: string
      to: string[]
      /** @description Of slack: where its URL leads. */
      host: string | null
      group_seconds: number
      repeat_seconds: number
      send_resolved: boolean
      enabled: boolean
      /** Format: date-time */
      created_at: string
      /** Format: date-time */
      updated_at: string
      version: number
    }
    PatchAlertChannelBody: {
      /** @description Ids of rules, or metrics: webhook_success_rate, tenant_success_rate … Absent or empty: every one. */
      rules?: string[] | null
      severities?: ('warning' | 'critical')[] | null
      /** @description Of the platform's own: only of these. */
      tenants?: string[] | null
      /** @description Id of a webhook: only about it. */
      webhook?: string | null
      name?: string | null
      /** @description Of email: who is written to. */
      to?: string[] | null
      /** @description Of slack: the incoming webhook. It is never shown again. */
      url?: string | null
      /**
       * @description So long it is waited for more to be told at once.
       * @default 10
       */
      group_seconds?: number | null
      /**
       * @description What still fires is told again after so long; 0: never.
       * @default 14400
       */
      repeat_seconds?: number | null
      /**
       * @description Whether the end of an alert is told, too.
       * @default true
       */
      send_resolved?: boolean | null
      /** @default true */
      enabled?: boolean | null
    }
    AlertChannelTestView: {
      /**
       * @description waiting: no monitor has sent it within some seconds.
       * @enum {string}
       */
      status: 'waiting' | 'sent' | 'failed' | 'silenced'
      error: string | null
    }
    CreateAlertSilenceBody: {
      /** @description Ids of rules, or metrics: webhook_success_rate, tenant_success_rate … Absent or empty: every one. */
      rules?: string[] | null
      severities?: ('warning' | 'critical')[] | null
      /** @description Of the platform's own: only of these. */
      tenants?: string[] | null
      /** @description Id of a webhook: only about it. */
      webhook?: string | null
      /**
       * Format: date-time
       * @description Unless set, now.
       */
      starts_at?: string | null
      /** Format: date-time */
      ends_at: string
      /** @description Why. */
      comment?: string | null
      /**
       * @description Whose it is: the tenant's, or the platform's.
       * @default tenant
       * @enum {string|null}
       */
      scope?: 'tenant' | 'platform' | null
    }
    AlertSilenceView: {
      /** @description Empty: every one. */
      rules: string[]
      severities: ('warning' | 'critical')[]
      tenants: string[]
      webhook: string | null
      id: string
      /** @enum {string} */
      scope: 'tenant' | 'platform'
      tenant: string | null
      /** Format: date-time */
      starts_at: string
      /** Format: date-time */
      ends_at: string
      comment: string | null
      /** Format: date-time */
      created_at: string
      version: number
    }
    /** @description The plain form, with data or data_base64. */
    PublishEvent: {
      /** @description Sent again with the same source it is the same event; made here unless set. */
      id?: string
      /** @description /v1/publish unless set. */
      source?: string
      /** @description Dot-separated words; "posthorn." is reserved. */
      type: string
      /**
       * Format: date-time
       * @description The time of acceptance unless set.
       */
      time?: string
      /** @description The ordering key. */
      partitionkey?: string
      subject?: string
      dataschema?: string
      /** @description Media type of the data: application/json unless set. */
      datacontenttype?: string
      /** @description None but that of the request. */
      tenant?: string
      /** @description Any JSON value, passed on byte for byte. */
      data?: unknown
      /** @description In place of data where that is no JSON. */
      data_base64?: string
    }
    /** @description CloudEvents 1.0 in their JSON format. Further members are extensions, up to 32. */
    CloudEvent: {
      /** @enum {string} */
      specversion: '1.0'
      /** @description Sent again with the same source it is the same event. */
      id: string
      /** @description Where the event comes from. */
      source: string
      /** @description Dot-separated words; "posthorn." is reserved. */
      type: string
      /**
       * Format: date-time
       * @description The time of acceptance unless set.
       */
      time?: string
      /** @description The ordering key. */
      partitionkey?: string
      subject?: string
      dataschema?: string
      /** @description Media type of the data: application/json unless set. */
      datacontenttype?: string
      /** @description None but that of the request. */
      tenant?: string
      /** @description Any JSON value, passed on byte for byte. */
      data?: unknown
      /** @description In place of data where that is no JSON. */
      data_base64?: string
    } & {
      [key: string]: unknown
    }
    PublishedEvent: {
      id: string
      source: string
    }
    /** @description RFC 9457. */
    Problem: {
      /**
       * Format: uri-reference
       * @description Where the code is explained.
       */
      type: string
      title: string
      status: number
      /**
       * @description Stable.
       * @enum {string}
       */
      code:
        | 'body_invalid'
        | 'request_invalid'
        | 'event_invalid'
        | 'batch_size'
        | 'cursor_invalid'
        | 'key_missing'
        | 'key_invalid'
        | 'key_expired'
        | 'signature_missing'
        | 'signature_stale'
        | 'signature_invalid'
        | 'role_missing'
        | 'address_not_allowed'
        | 'tenant_not_found'
        | 'webhook_not_found'
        | 'secret_not_found'
        | 'key_not_found'
        | 'event_not_found'
        | 'delivery_not_found'
        | 'poison_not_found'
        | 'poison_redriven'
        | 'poison_not_redrivable'
        | 'alert_not_found'
        | 'alert_rule_not_found'
        | 'alert_channel_not_found'
        | 'alert_silence_not_found'
        | 'replay_not_found'
        | 'route_not_found'
        | 'method_not_allowed'
        | 'source_not_found'
        | 'event_type_not_found'
        | 'tenant_exists'
        | 'tenant_protected'
        | 'event_type_exists'
        | 'event_type_incompatible'
        | 'event_type_archived'
        | 'uid_taken'
        | 'webhook_disabled'
        | 'webhook_pending'
        | 'ownership_off'
        | 'dead_letter_discarded'
        | 'replay_ended'
        | 'quota_reached'
        | 'idempotency_running'
        | 'idempotency_answer_lost'
        | 'version_conflict'
        | 'body_too_large'
        | 'media_type_unsupported'
        | 'event_type_unknown'
        | 'event_schema_mismatch'
        | 'idempotency_mismatch'
        | 'rate_limited'
        | 'handshake_limited'
        | 'wrong_keys_limited'
        | 'internal'
        | 'secret_sealed'
        | 'database_rights'
        | 'kafka_unavailable'
        | 'database_unavailable'
        | 'signing_unavailable'
        | 'egress_unavailable'
        | 'starting'
      /** @description What is wrong with this request. */
      detail: string
      /** @description What to do. */
      action: string
      /** @description By which the logs and the audit know the request. */
      request_id: string
      trace_id?: string
      errors?: {
        /** @description JSON Pointer. */
        pointer: string
        detail: string
      }[]
    }
  }
  responses: {
    /** @description The request cannot be done as it is: `code` and `action` say why and what to do. */
    Refused: {
      headers: {
        'Request-Id': components['headers']['RequestId']
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The key sent more requests than it may. */
    RateLimited: {
      headers: {
        'Request-Id': components['headers']['RequestId']
        'Retry-After': components['headers']['RetryAfter']
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description A failure that is not of the request: the same request may pass later. */
    Failed: {
      headers: {
        'Request-Id': components['headers']['RequestId']
        'Retry-After': components['headers']['RetryAfter']
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
  }
  parameters: never
  requestBodies: never
  headers: {
    /** @description The X-Request-Id of the request, or one made here. */
    RequestId: string
    /** @description The version, for If-Match. */
    ETag: string
    /** @description Where what was created is read. */
    Location: string
    /** @description true: the answer of an earlier request with the same Idempotency-Key. */
    IdempotentReplayed: string
    /** @description With a limit set: r requests are left, all of them again in t seconds. */
    RateLimit: string
    /** @description With a limit set: q requests may come at once. */
    RateLimitPolicy: string
    /** @description Seconds, with 429 and 503. */
    RetryAfter: string
  }
  pathItems: never
}
export type $defs = Record<string, never>
export interface operations {
  webhooks_list: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
        /** @description Only webhooks of this status. */
        status?: 'pending' | 'active' | 'paused' | 'disabled'
        /** @description Your own name for it, once among your webhooks. */
        uid?: string
        /** @description Only webhooks that take events of this type. */
        event_type?: string
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['WebhookView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  webhooks_create: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateWebhookBody']
      }
    }
    responses: {
      /** @description CreatedWebhook */
      201: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          Location: components['headers']['Location']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['CreatedWebhookView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  webhooks_byUid: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description Your own name for the webhook. */
        uid: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Webhook */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['WebhookView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  webhooks_upsert: {
    parameters: {
      query?: never
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description Your own name for the webhook. */
        uid: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateWebhookBody']
      }
    }
    responses: {
      /** @description Webhook */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['WebhookView']
        }
      }
      /** @description CreatedWebhook */
      201: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['CreatedWebhookView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  webhooks_get: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Webhook */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['WebhookView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  webhooks_remove: {
    parameters: {
      query?: never
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done. */
      204: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content?: never
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  webhooks_change: {
    parameters: {
      query?: never
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['PatchWebhookBody']
        'application/merge-patch+json': components['schemas']['PatchWebhookBody']
      }
    }
    responses: {
      /** @description Webhook */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['WebhookView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  webhooks_disable: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Webhook */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['WebhookView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  webhooks_enable: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Webhook */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['WebhookView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  webhooks_pause: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Webhook */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['WebhookView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  webhooks_resume: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Webhook */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['WebhookView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  webhooks_verify: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Webhook */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['WebhookView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  webhooks_test: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: {
      content: {
        'application/json': components['schemas']['TestWebhookBody']
      }
    }
    responses: {
      /** @description Test */
      202: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['TestView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  webhooks_listSecrets: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['SecretView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  webhooks_rotate: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: {
      content: {
        'application/json': components['schemas']['RotateSecretBody']
      }
    }
    responses: {
      /** @description RevealedSecret */
      201: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          Location: components['headers']['Location']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['RevealedSecretView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  webhooks_reveal: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
        /** @description The id of the secret. */
        secret: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description RevealedSecret */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['RevealedSecretView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  tenants_list: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
        /** @description Only tenants of this status. */
        status?: 'active' | 'deleting' | 'deleted'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['TenantView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  tenants_create: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateTenantBody']
      }
    }
    responses: {
      /** @description Tenant */
      201: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          Location: components['headers']['Location']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['TenantView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  tenants_get: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Tenant */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['TenantView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  tenants_remove: {
    parameters: {
      query?: never
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Tenant */
      202: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['TenantView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  tenants_change: {
    parameters: {
      query?: never
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['PatchTenantBody']
        'application/merge-patch+json': components['schemas']['PatchTenantBody']
      }
    }
    responses: {
      /** @description Tenant */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['TenantView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  keys_list: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
        /** @description Whose key it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['KeyView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  keys_create: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateKeyBody']
      }
    }
    responses: {
      /** @description CreatedKey */
      201: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          Location: components['headers']['Location']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['CreatedKeyView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  keys_get: {
    parameters: {
      query?: {
        /** @description Whose key it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Key */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['KeyView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  keys_remove: {
    parameters: {
      query?: {
        /** @description Whose key it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done. */
      204: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content?: never
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  keys_change: {
    parameters: {
      query?: {
        /** @description Whose key it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['PatchKeyBody']
        'application/merge-patch+json': components['schemas']['PatchKeyBody']
      }
    }
    responses: {
      /** @description Key */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['KeyView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  keys_rotate: {
    parameters: {
      query?: {
        /** @description Whose key it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: {
      content: {
        'application/json': components['schemas']['RotateKeyBody']
      }
    }
    responses: {
      /** @description CreatedKey */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['CreatedKeyView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  audit_list: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
        /** @description Changes to what the tenant has, to what the platform has, or all. */
        scope?: 'tenant' | 'platform' | 'all'
        /** @description Id of what was changed. */
        subject?: string
        /** @description Such as webhook.updated. */
        action?: string
        /** @description Id of the key that was used. */
        key?: string
        /** @description At this time or later. */
        from?: string
        /** @description Before this time. */
        to?: string
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['AuditView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  sources_list: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['SourceView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  sources_create: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateSourceBody']
      }
    }
    responses: {
      /** @description Source */
      201: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          Location: components['headers']['Location']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['SourceView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  sources_get: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description SourceDetail */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['SourceDetailView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  sources_remove: {
    parameters: {
      query?: never
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done. */
      204: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content?: never
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  sources_change: {
    parameters: {
      query?: never
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['PatchSourceBody']
        'application/merge-patch+json': components['schemas']['PatchSourceBody']
      }
    }
    responses: {
      /** @description Source */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['SourceView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  history_events: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
        /** @description At this time or later. */
        from?: string
        /** @description Before this time. */
        to?: string
        /** @description An event type. */
        type?: string
        /** @description A source. */
        source?: string
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['ListedEventView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  history_event: {
    parameters: {
      query?: {
        /** @description Picks one of several sources that use the same id. */
        source?: string
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Event */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['EventView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  history_deliveries: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
        /** @description At this time or later. */
        from?: string
        /** @description Before this time. */
        to?: string
        /** @description Id of a webhook. */
        webhook?: string
        /** @description Only deliveries of this status. */
        status?: 'pending' | 'retry' | 'delivered' | 'exhausted' | 'expired' | 'gone' | 'discarded'
        /** @description The type of the event. */
        event_type?: string
        /** @description An event's id, of whatever source. */
        event?: string
        /** @description Id of a replay: deliveries that it was the last to send; 0: those of live traffic alone. */
        run?: string
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['DeliveryView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  history_delivery: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description DeliveryWithAttempts */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['DeliveryWithAttemptsView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  history_explanation: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Explanation */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ExplanationView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  history_deadLetters: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
        /** @description At this time or later. */
        from?: string
        /** @description Before this time. */
        to?: string
        /** @description Id of a webhook. */
        webhook?: string
        /** @description Only deliveries that ended so. */
        status?: 'exhausted' | 'expired' | 'gone'
        /** @description The type of the event. */
        event_type?: string
        /** @description An event's id, of whatever source. */
        event?: string
        /** @description Open ones (unless set), or those that were discarded. */
        state?: 'open' | 'discarded'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['DeliveryView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  history_attempts: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
        /** @description At this time or later. */
        from?: string
        /** @description Before this time. */
        to?: string
        /** @description Id of a webhook. */
        webhook?: string
        /** @description Only attempts that ended so. */
        outcome?: 'retry' | 'delivered' | 'exhausted' | 'expired' | 'gone' | 'discarded'
        /** @description The type of the event. */
        event_type?: string
        /** @description Id of a delivery. */
        delivery?: string
        /** @description Id of a replay; 0: attempts of live traffic. */
        run?: string
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['ListedAttemptView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  history_stats: {
    parameters: {
      query?: {
        /** @description Unset: all webhooks. */
        webhook?: string
        /** @description The length of a bucket. */
        step?: 'minute' | 'hour' | 'day'
        /** @description Rounded down to the step; unset, an hour of minutes, a day of hours or 14 days before `to`. */
        from?: string
        /** @description Rounded up to the step; unset, now. */
        to?: string
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Stats */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['StatsView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  deadletters_discard: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['DiscardDeadLettersBody']
      }
    }
    responses: {
      /** @description Discarded */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['DiscardedView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  filters_test: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['TestFilterBody']
      }
    }
    responses: {
      /** @description FilterTest */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['FilterTestView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  eventtypes_list: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
        /** @description Only types of this owner. */
        scope?: 'tenant' | 'platform' | 'built_in'
        /** @description Archived types are listed only by this. */
        status?: 'active' | 'deprecated' | 'archived'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['EventTypeView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  eventtypes_create: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateEventTypeBody']
      }
    }
    responses: {
      /** @description EventTypeDetail */
      201: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          Location: components['headers']['Location']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['EventTypeDetailView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  eventtypes_get: {
    parameters: {
      query?: {
        /** @description Whose type; unless set, the one that counts for the tenant. */
        scope?: 'tenant' | 'platform' | 'built_in'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The name of the event type, such as agent.created. */
        type: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description EventTypeDetail */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['EventTypeDetailView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  eventtypes_change: {
    parameters: {
      query?: {
        /** @description Whose type is changed. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The name of the event type, such as agent.created. */
        type: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['PatchEventTypeBody']
        'application/merge-patch+json': components['schemas']['PatchEventTypeBody']
      }
    }
    responses: {
      /** @description EventTypeDetail */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['EventTypeDetailView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  eventtypes_deprecate: {
    parameters: {
      query?: {
        /** @description Whose type is changed. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The name of the event type, such as agent.created. */
        type: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description EventTypeDetail */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['EventTypeDetailView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  eventtypes_archive: {
    parameters: {
      query?: {
        /** @description Whose type is changed. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The name of the event type, such as agent.created. */
        type: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description EventTypeDetail */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['EventTypeDetailView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  eventtypes_restore: {
    parameters: {
      query?: {
        /** @description Whose type is changed. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The name of the event type, such as agent.created. */
        type: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description EventTypeDetail */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['EventTypeDetailView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  eventtypes_versions: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
        /** @description Whose type; unless set, the one that counts for the tenant. */
        scope?: 'tenant' | 'platform' | 'built_in'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The name of the event type, such as agent.created. */
        type: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['SchemaVersionSummaryView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  eventtypes_addVersion: {
    parameters: {
      query?: {
        /** @description Whose type is changed. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The name of the event type, such as agent.created. */
        type: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['AddVersionBody']
      }
    }
    responses: {
      /** @description AddedVersion */
      201: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          Location: components['headers']['Location']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['AddedVersionView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  eventtypes_version: {
    parameters: {
      query?: {
        /** @description Whose type; unless set, the one that counts for the tenant. */
        scope?: 'tenant' | 'platform' | 'built_in'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The name of the event type, such as agent.created. */
        type: string
        /** @description The number of the version. */
        number: number
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description SchemaVersion */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['SchemaVersionView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  eventtypes_check: {
    parameters: {
      query?: {
        /** @description Whose type; unless set, the one that counts for the tenant. */
        scope?: 'tenant' | 'platform' | 'built_in'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The name of the event type, such as agent.created. */
        type: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['CheckEventTypeBody']
      }
    }
    responses: {
      /** @description EventTypeCheck */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['EventTypeCheckView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  replays_list: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
        /** @description Only replays of this status. */
        status?: 'queued' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['ReplayView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  replays_create: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateReplayBody']
      }
    }
    responses: {
      /** @description Replay */
      201: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          Location: components['headers']['Location']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ReplayView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  replays_get: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Replay */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ReplayView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  replays_change: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['PatchReplayBody']
        'application/merge-patch+json': components['schemas']['PatchReplayBody']
      }
    }
    responses: {
      /** @description Replay */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ReplayView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  replays_pause: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Replay */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ReplayView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  replays_resume: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Replay */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ReplayView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  replays_cancel: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Replay */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ReplayView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  poison_list: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
        /** @description At this time or later. */
        from?: string
        /** @description Before this time. */
        to?: string
        /** @description Records of the tenant, of nobody that is known (platform), or all; unless set all that the key may see. */
        scope?: 'tenant' | 'platform' | 'all'
        /** @description The topic that the record stood on, without prefix. */
        topic?: string
        /** @description Why it was set aside. */
        reason?: string
        /** @description Redriven, or not yet. */
        status?: 'open' | 'redriven'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['PoisonView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  poison_get: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Poison */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['PoisonView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  poison_redrive: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Poison */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['PoisonView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alerts_list: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
        /** @description Those that fire now, or those that did. */
        status?: 'firing' | 'resolved'
        /** @description Id of a webhook. */
        webhook?: string
        /** @description Id of a rule, or a metric: alerts of every rule about it. */
        rule?: string
        /** @description Alerts about what the tenant has, about the platform as a whole, or all. */
        scope?: 'tenant' | 'platform' | 'all'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['AlertView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alerts_get: {
    parameters: {
      query?: {
        /** @description Alerts about what the tenant has, about the platform as a whole, or all. */
        scope?: 'tenant' | 'platform' | 'all'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description AlertDetail */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['AlertDetailView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alertrules_list: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
        /** @description Whose it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['AlertRuleView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alertrules_create: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateAlertRuleBody']
      }
    }
    responses: {
      /** @description AlertRule */
      201: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          Location: components['headers']['Location']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['AlertRuleView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alertrules_get: {
    parameters: {
      query?: {
        /** @description Whose it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description AlertRule */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['AlertRuleView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alertrules_remove: {
    parameters: {
      query?: {
        /** @description Whose it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done. */
      204: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content?: never
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alertrules_change: {
    parameters: {
      query?: {
        /** @description Whose it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['PatchAlertRuleBody']
        'application/merge-patch+json': components['schemas']['PatchAlertRuleBody']
      }
    }
    responses: {
      /** @description AlertRule */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['AlertRuleView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alertchannels_list: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
        /** @description Whose it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['AlertChannelView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alertchannels_create: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateAlertChannelBody']
      }
    }
    responses: {
      /** @description AlertChannel */
      201: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          Location: components['headers']['Location']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['AlertChannelView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alertchannels_get: {
    parameters: {
      query?: {
        /** @description Whose it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description AlertChannel */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['AlertChannelView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alertchannels_remove: {
    parameters: {
      query?: {
        /** @description Whose it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done. */
      204: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content?: never
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alertchannels_change: {
    parameters: {
      query?: {
        /** @description Whose it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['PatchAlertChannelBody']
        'application/merge-patch+json': components['schemas']['PatchAlertChannelBody']
      }
    }
    responses: {
      /** @description AlertChannel */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['AlertChannelView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alertchannels_test: {
    parameters: {
      query?: {
        /** @description Whose it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description AlertChannelTest */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['AlertChannelTestView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alertsilences_list: {
    parameters: {
      query?: {
        /** @description How many a page has at most. */
        limit?: number
        /** @description next_cursor of the page before. */
        cursor?: string
        /** @description Whose it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page. */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content: {
          'application/json': {
            data: components['schemas']['AlertSilenceView'][]
            next_cursor: string | null
          }
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alertsilences_create: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description Sent again with the same key and body, the request is not run again, but answered as it was, for a day. */
        'Idempotency-Key'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateAlertSilenceBody']
      }
    }
    responses: {
      /** @description AlertSilence */
      201: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          Location: components['headers']['Location']
          'Idempotent-Replayed': components['headers']['IdempotentReplayed']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['AlertSilenceView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alertsilences_get: {
    parameters: {
      query?: {
        /** @description Whose it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description AlertSilence */
      200: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['AlertSilenceView']
        }
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  alertsilences_remove: {
    parameters: {
      query?: {
        /** @description Whose it is: the tenant's, or the platform's. */
        scope?: 'tenant' | 'platform'
      }
      header?: {
        /** @description The ETag of a read: 412 unless it is the current one. */
        'If-Match'?: string
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
      }
      path: {
        /** @description The id, as a list or a creation answers it. */
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done. */
      204: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          RateLimit: components['headers']['RateLimit']
          'RateLimit-Policy': components['headers']['RateLimitPolicy']
          [name: string]: unknown
        }
        content?: never
      }
      429: components['responses']['RateLimited']
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  publish: {
    parameters: {
      query?: never
      header?: {
        /** @description For keys of the platform: the tenant that the request is about; default unless set. */
        'Posthorn-Tenant'?: string
        /** @description The ids that are made for plain events without one are derived from it and their places. */
        'Idempotency-Key'?: string
        /** @description CloudEvents, binary mode: with any such header the body is the data, of any media type. */
        'ce-specversion'?: '1.0'
        /** @description CloudEvents, binary mode: with any such header the body is the data, of any media type. */
        'ce-id'?: string
        /** @description CloudEvents, binary mode: with any such header the body is the data, of any media type. */
        'ce-source'?: string
        /** @description CloudEvents, binary mode: with any such header the body is the data, of any media type. */
        'ce-type'?: string
        /** @description CloudEvents, binary mode: with any such header the body is the data, of any media type. */
        'ce-time'?: string
        /** @description CloudEvents, binary mode: with any such header the body is the data, of any media type. */
        'ce-partitionkey'?: string
        /** @description CloudEvents, binary mode: with any such header the body is the data, of any media type. */
        'ce-subject'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json':
          | components['schemas']['PublishEvent']
          | components['schemas']['CloudEvent']
          | (components['schemas']['PublishEvent'] | components['schemas']['CloudEvent'])[]
        'application/cloudevents+json': components['schemas']['CloudEvent']
        'application/cloudevents-batch+json': components['schemas']['CloudEvent'][]
        'application/octet-stream': string
      }
    }
    responses: {
      /** @description Accepted: the identity of the event, or of each event of an array in its order. */
      202: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          [name: string]: unknown
        }
        content: {
          'application/json':
            | components['schemas']['PublishedEvent']
            | {
                data: components['schemas']['PublishedEvent'][]
              }
        }
      }
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
  publish_signed: {
    parameters: {
      query?: never
      header: {
        /** @description The id of a lone event that has none; svix-id is taken, too. */
        'webhook-id': string
        /** @description Seconds since the epoch, within 5 minutes of now. */
        'webhook-timestamp': string
        /** @description v1,… (HMAC-SHA256) or v1a,… (Ed25519) over id.timestamp.body, parted by spaces. */
        'webhook-signature': string
      }
      path: {
        /** @description The id of the key. */
        key: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json':
          | components['schemas']['PublishEvent']
          | components['schemas']['CloudEvent']
          | (components['schemas']['PublishEvent'] | components['schemas']['CloudEvent'])[]
        'application/cloudevents+json': components['schemas']['CloudEvent']
        'application/cloudevents-batch+json': components['schemas']['CloudEvent'][]
      }
    }
    responses: {
      /** @description Accepted: the identity of the event, or of each event of an array in its order. */
      202: {
        headers: {
          'Request-Id': components['headers']['RequestId']
          [name: string]: unknown
        }
        content: {
          'application/json':
            | components['schemas']['PublishedEvent']
            | {
                data: components['schemas']['PublishedEvent'][]
              }
        }
      }
      '4XX': components['responses']['Refused']
      '5XX': components['responses']['Failed']
    }
  }
}

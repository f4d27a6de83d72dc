{{/*
Every variable of the chart, once: where its value is and which services read it. What is empty is not set, unless
`empty` is said. `all` are the seven and setup. k8s/posthorn is held against libs/process/src/settings.ts by a test.
*/}}
{{- define "posthorn.settings" -}}
{{- $v := .Values -}}
{{- $name := include "posthorn.fullname" . -}}
KAFKA_BROKERS: { for: [all], value: {{ include "posthorn.brokers" . | quote }} }
KAFKA_PREFIX: { for: [all], empty: true, value: {{ $v.kafka.prefix | quote }} }
KAFKA_PARTITIONS: { for: [all], value: "{{ int64 $v.kafka.partitions }}" }
KAFKA_REPLICATION: { for: [all], value: "{{ include "posthorn.replication" . }}" }
KAFKA_COMPRESSION: { for: [all], value: {{ $v.kafka.compression }} }
KAFKA_SASL_MECHANISM: { for: [all], value: {{ $v.kafka.sasl.mechanism | quote }} }
KAFKA_SASL_USERNAME: { for: [all], value: {{ $v.kafka.sasl.username | quote }} }
KAFKA_TLS: { for: [all], value: "{{ ternary "on" "" $v.kafka.tls.enabled }}" }
KAFKA_TLS_SERVER_NAME: { for: [all], value: {{ $v.kafka.tls.serverName | quote }} }
LOG_LEVEL: { for: [all], value: {{ $v.log.level }} }
TRACE_OTLP_URL: { for: [services], value: {{ $v.trace.otlpUrl | quote }} }
TRACE_RATIO: { for: [services], value: "{{ $v.trace.ratio }}" }
METRICS_OTLP_URL: { for: [services], value: {{ $v.metrics.otlpUrl | quote }} }
METRICS_OTLP_INTERVAL_MS: { for: [services], value: "{{ int64 $v.metrics.otlpIntervalMs }}" }
PROBER_INTERVAL_SECONDS: { for: [router, deliverer, monitor], value: "{{ int64 $v.prober.intervalSeconds }}" }
GRAFANA_URL: { for: [registry], value: {{ $v.grafana.url | quote }} }
GRAFANA_TRACES: { for: [registry], value: {{ $v.grafana.traces | quote }} }
AUTH_WRONG_KEYS_PER_MINUTE: { for: [ingest, registry], value: "{{ int64 $v.auth.wrongKeysPerMinute }}" }
DATABASE_POOL: { for: [registry, replayer, monitor], value: "{{ int64 $v.database.pool }}" }
EGRESS_ALLOW: { for: [registry, deliverer, monitor], value: {{ join "," $v.egress.allow | quote }} }
EGRESS_DENY: { for: [registry, deliverer, monitor], value: {{ join "," $v.egress.deny | quote }} }
EGRESS_PORTS: { for: [registry, deliverer, monitor], value: {{ join "," $v.egress.ports | quote }} }
EGRESS_MIN_TLS_VERSION: { for: [registry, deliverer, monitor], value: {{ $v.egress.minTlsVersion | quote }} }
EGRESS_RESPONSE_BYTES: { for: [registry, deliverer, monitor], value: "{{ int64 $v.egress.responseBytes }}" }
EGRESS_HEADER_BYTES: { for: [registry, deliverer, monitor], value: "{{ int64 $v.egress.headerBytes }}" }
EGRESS_DNS_TIMEOUT_MS: { for: [registry, deliverer, monitor], value: "{{ int64 $v.egress.timeouts.dnsMs }}" }
EGRESS_CONNECT_TIMEOUT_MS: { for: [registry, deliverer, monitor], value: "{{ int64 $v.egress.timeouts.connectMs }}" }
EGRESS_TLS_TIMEOUT_MS: { for: [registry, deliverer, monitor], value: "{{ int64 $v.egress.timeouts.tlsMs }}" }
EGRESS_FIRST_BYTE_TIMEOUT_MS: { for: [registry, deliverer, monitor], value: "{{ int64 $v.egress.timeouts.firstByteMs }}" }
EGRESS_PROXY_EXCEPT: { for: [registry, deliverer, monitor], value: {{ join "," $v.egress.proxy.except | quote }} }
API_PUBLIC_URL: { for: [deliverer], value: {{ $v.api.publicUrl | quote }} }
SIGNATURE_HEADER_PREFIX: { for: [registry, deliverer], value: {{ $v.signature.headerPrefix }} }
TRUSTED_PROXIES: { for: [ingest, registry], value: {{ join "," $v.trustedProxies | quote }} }
TLS_MIN_VERSION: { for: [ingest, registry], value: {{ $v.tls.minVersion | quote }} }
REGISTRY_RATE_PER_KEY: { for: [registry], value: "{{ if $v.registry.ratePerKey }}{{ int64 $v.registry.ratePerKey }}{{ end }}" }
INGEST_MAX_EVENT_BYTES: { for: [ingest, router, replayer], value: "{{ int64 $v.ingest.maxEventBytes }}" }
INGEST_DEFAULT_TENANT: { for: [router, replayer, monitor], empty: true, value: {{ $v.ingest.defaultTenant | quote }} }
INGEST_SOURCES_REFRESH_MS: { for: [ingest], value: "{{ int64 $v.ingest.sourcesRefreshMs }}" }
DELIVERER_SOCKETS: { for: [deliverer], value: "{{ int64 $v.deliverer.sockets }}" }
DELIVERER_WEBHOOK_CONCURRENCY: { for: [deliverer], value: "{{ int64 $v.deliverer.webhookConcurrency }}" }
DELIVERER_QUEUE_BYTES: { for: [deliverer], value: "{{ int64 $v.deliverer.queueBytes }}" }
DELIVERER_LOG_DELIVERED: { for: [deliverer], value: "{{ $v.deliverer.logDelivered }}" }
MONITOR_ALERT_EVERY_SECONDS: { for: [monitor], value: "{{ int64 $v.monitor.alertEverySeconds }}" }
MONITOR_ALERT_RULES: { for: [registry, monitor], value: {{ ternary "" (toJson $v.monitor.alertRules) (empty $v.monitor.alertRules) | quote }} }
MONITOR_SMTP_FROM: { for: [monitor], value: {{ $v.monitor.smtp.from | quote }} }
MONITOR_ALERT_SUCCESS_RATE: { for: [registry, monitor], value: "{{ $v.monitor.alertSuccessRate }}" }
MONITOR_ALERT_WINDOW_SECONDS: { for: [registry, monitor], value: "{{ int64 $v.monitor.alertWindowSeconds }}" }
MONITOR_RETENTION_DAYS: { for: [monitor], value: "{{ int64 $v.monitor.retentionDays }}" }
WEBHOOK_DISABLE_AFTER_SECONDS: { for: [registry, monitor], value: "{{ int64 $v.webhook.disableAfterSeconds }}" }
WEBHOOK_OWNERSHIP_ORIGIN: { for: [registry, deliverer], value: {{ $v.webhook.ownershipOrigin | quote }} }
WEBHOOK_WARN_AT: { for: [monitor], value: "{{ $v.webhook.warnAt }}" }
{{- if $v.demo.enabled }}
DATABASE_URL: { for: [registry, replayer, monitor, migrate], value: postgres://posthorn@{{ $name }}-demo-postgres:5432/posthorn }
{{- end }}
{{- end -}}

{{/*
Every file that is mounted, and the variable that names it. `kind` and `from` say of which object `key` is taken,
`own` of which other one for a service.
*/}}
{{- define "posthorn.files" -}}
{{- $v := .Values -}}
{{- $name := include "posthorn.fullname" . -}}
{{- if $v.demo.enabled }}
SEALING_KEYS_FILE: { for: [registry, ingest, deliverer{{ if $v.monitor.chats }}, monitor{{ end }}], path: sealing/keys, kind: secret, from: {{ $name }}-demo, key: sealing-keys }
AUTH_PLATFORM_KEY_FILE: { for: [registry, ingest], path: auth/platform-key, kind: secret, from: {{ $name }}-demo, key: platform-key }
{{- else }}
SEALING_KEYS_FILE: { for: [registry, ingest, deliverer{{ if $v.monitor.chats }}, monitor{{ end }}], path: sealing/keys, kind: secret, from: {{ required "sealing.existingSecret is not set: create a Secret with sealing-keys (id:base64 of 32 bytes), and name it" $v.sealing.existingSecret }}, key: {{ $v.sealing.key }} }
DATABASE_URL_FILE: { for: [registry, replayer, monitor, migrate], path: database/url, kind: secret, from: {{ required "database.existingSecret is not set: create a Secret with database-url, and name it" $v.database.existingSecret }}, key: {{ $v.database.key }}, own: {{ toJson $v.database.serviceSecrets }} }
{{- with $v.auth.existingSecret }}
AUTH_PLATFORM_KEY_FILE: { for: [registry, ingest], path: auth/platform-key, kind: secret, from: {{ . }}, key: {{ $v.auth.key }} }
{{- end }}
{{- with $v.monitor.smtp }}{{- if .existingSecret }}
MONITOR_SMTP_URL_FILE: { for: [monitor], path: smtp/url, kind: secret, from: {{ .existingSecret }}, key: {{ .key }} }
{{- end }}{{- end }}
{{- with $v.kafka.sasl }}{{- if .mechanism }}
KAFKA_SASL_PASSWORD_FILE: { for: [all], path: kafka/password, kind: secret, from: {{ required "kafka.sasl.existingSecret is not set: kafka.sasl.mechanism needs the password" .existingSecret }}, key: {{ .key }} }
{{- end }}{{- end }}
{{- with $v.kafka.tls }}
{{- if or .ca.secret .ca.configMap }}
KAFKA_TLS_CA_FILE: { for: [all], path: kafka/ca.crt, {{ include "posthorn.caFrom" .ca }} }
{{- end }}
{{- if .clientSecret }}
KAFKA_TLS_CERT_FILE: { for: [all], path: kafka/client.crt, kind: secret, from: {{ .clientSecret }}, key: {{ .clientCertKey }} }
KAFKA_TLS_KEY_FILE: { for: [all], path: kafka/client.key, kind: secret, from: {{ .clientSecret }}, key: {{ .clientKeyKey }} }
{{- end }}
{{- end }}
{{- end }}
{{- with $v.tls }}
{{- if .existingSecret }}
TLS_CERT_FILE: { for: [ingest, registry], path: tls/server.crt, kind: secret, from: {{ .existingSecret }}, key: {{ .certKey }} }
TLS_KEY_FILE: { for: [ingest, registry], path: tls/server.key, kind: secret, from: {{ .existingSecret }}, key: {{ .keyKey }} }
{{- end }}
{{- if or .clientCa.secret .clientCa.configMap }}
TLS_CLIENT_CA_FILE: { for: [ingest, registry], path: tls/client-ca.crt, {{ include "posthorn.caFrom" .clientCa }} }
{{- end }}
{{- end }}
{{- with $v.egress.proxy }}{{- if .existingSecret }}
EGRESS_PROXY_URL_FILE: { for: [registry, deliverer, monitor], path: egress/proxy-url, kind: secret, from: {{ .existingSecret }}, key: {{ .key }} }
{{- end }}{{- end }}
{{- with $v.egress.ca }}{{- if or .secret .configMap }}
EGRESS_CA_FILE: { for: [registry, deliverer, monitor], path: egress/ca.crt, {{ include "posthorn.caFrom" . }} }
{{- end }}{{- end }}
{{- if $v.ingest.sources }}
INGEST_SOURCES_FILE: { for: [ingest], path: sources/sources.json, kind: configMap, from: {{ $name }}-sources, key: sources.json }
{{- end }}
{{- end -}}

{{- define "posthorn.caFrom" -}}
{{- if and .secret .configMap -}}{{- fail "a CA is in a Secret or in a ConfigMap: unset one of ca.secret and ca.configMap" -}}{{- end -}}
kind: {{ ternary "secret" "configMap" (ne .secret "") }}, from: {{ .secret | default .configMap }}, key: {{ .key }}
{{- end -}}

{{- define "posthorn.brokers" -}}
{{- if .Values.demo.enabled -}}
{{ include "posthorn.fullname" . }}-demo-kafka:9092
{{- else -}}
{{ required "kafka.brokers is not set: list the brokers, each host:port" (join "," .Values.kafka.brokers) }}
{{- end -}}
{{- end -}}

{{- define "posthorn.replication" -}}
{{- ternary 1 (int64 .Values.kafka.replication) .Values.demo.enabled -}}
{{- end -}}

{{/* Whether one of `for` is of the container. Takes a list: the row, the services of the container. */}}
{{- define "posthorn.isFor" -}}
{{- $for := (index . 0).for -}}
{{- $services := index . 1 -}}
{{- if has "all" $for -}}yes
{{- else if and (has "services" $for) (not (has "setup" $services)) -}}yes
{{- else -}}{{- range $services -}}{{- if has . $for -}}yes{{- end -}}{{- end -}}
{{- end -}}
{{- end -}}

{{/* The variables of a container. Takes a list: the root, what it runs: a list of services, or setup with what else it does. */}}
{{- define "posthorn.env" -}}
{{- $services := index . 1 -}}
{{- range $name, $row := include "posthorn.settings" (index . 0) | fromYaml }}
{{- if and (include "posthorn.isFor" (list $row $services)) (or $row.value $row.empty) }}
- name: POSTHORN_{{ $name }}
  value: {{ $row.value | toString | quote }}
{{- end }}
{{- end }}
{{- range $name, $row := include "posthorn.files" (index . 0) | fromYaml }}
{{- if include "posthorn.isFor" (list $row $services) }}
- name: POSTHORN_{{ $name }}
  value: /etc/posthorn/{{ $row.path }}
{{- end }}
{{- end }}
{{- end -}}

{{/* One volume of all files that the container's variables name. Takes the same. */}}
{{- define "posthorn.volumes" -}}
{{- $root := index . 0 -}}
{{- $services := index . 1 -}}
{{- $sources := list -}}
{{- range $name, $row := include "posthorn.files" $root | fromYaml -}}
{{- if include "posthorn.isFor" (list $row $services) -}}
{{- $items := list (dict "key" $row.key "path" $row.path) -}}
{{- $from := $row.from -}}
{{- range $services -}}
{{- with get ($row.own | default dict) . -}}
{{- if has "migrate" $services -}}{{- fail "database.serviceSecrets needs setup.mode hook or manual: in an init container a service would migrate with its own role" -}}{{- end -}}
{{- $from = . -}}
{{- end -}}
{{- end -}}
{{- $sources = append $sources (dict $row.kind (dict "name" $from "items" $items)) -}}
{{- end -}}
{{- end -}}
{{- if $sources }}
- name: files
  projected:
    # 0440: for the group of the pod alone.
    defaultMode: 288
    sources:
      {{- toYaml $sources | nindent 6 }}
{{- end }}
{{- if include "posthorn.hasDatabaseTls" . }}
- name: database
  secret:
    secretName: {{ $root.Values.database.tlsSecret }}
    defaultMode: 288
{{- end }}
{{- end -}}

{{- define "posthorn.mounts" -}}
{{- if contains "name: files" (include "posthorn.volumes" .) }}
- name: files
  mountPath: /etc/posthorn
  readOnly: true
{{- end }}
{{- if include "posthorn.hasDatabaseTls" . }}
- name: database
  mountPath: /etc/posthorn-database
  readOnly: true
{{- end }}
{{- end -}}

{{- define "posthorn.hasDatabaseTls" -}}
{{- if (index . 0).Values.database.tlsSecret -}}
{{- include "posthorn.isFor" (list (dict "for" (list "registry" "replayer" "monitor" "migrate")) (index . 1)) -}}
{{- end -}}
{{- end -}}

{{/* Pods read files and sources at start: a changed one has to start them again. */}}
{{- define "posthorn.sourcesJson" -}}
{{- .Values.ingest.sources | toJson -}}
{{- end -}}

{{- define "posthorn.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects pods: these never change over the life of a release. Takes a list: the root, a component. */}}
{{- define "posthorn.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "posthorn.labels" -}}
{{- $root := index . 0 -}}
{{ include "posthorn.selectorLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{- define "posthorn.image" -}}
{{- $repository := required "image.repository is not set: build deploy/Dockerfile, push the image, and name it" .Values.image.repository -}}
{{- printf "%s:%s" $repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}

{{/* Restricted Pod Security. The image names the same user. */}}
{{- define "posthorn.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "posthorn.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* The settings that all programs of the image have. */}}
{{- define "posthorn.kafkaEnv" -}}
- name: POSTHORN_KAFKA_BROKERS
  value: {{ required "kafka.brokers is not set: list the brokers, each host:port" (join "," .Values.kafka.brokers) | quote }}
- name: POSTHORN_KAFKA_PREFIX
  value: {{ .Values.kafka.prefix | quote }}
- name: POSTHORN_KAFKA_PARTITIONS
  value: {{ .Values.kafka.partitions | quote }}
- name: POSTHORN_KAFKA_REPLICATION
  value: {{ .Values.kafka.replication | quote }}
- name: POSTHORN_LOG_LEVEL
  value: {{ .Values.logLevel | quote }}
{{- end -}}

{{/* One variable from the Secret. Takes a list: the root, the variable, the key, and `optional` where it may be missing. */}}
{{- define "posthorn.secretEnv" -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ required "existingSecret is not set: create a Secret with sealing-keys, database-url and, if you like, platform-key, and name it" (index . 0).Values.existingSecret | quote }}
      key: {{ index . 2 }}
{{- if has "optional" . }}
      optional: true
{{- end }}
{{- end -}}

{{/* All variables of one service; secrets only where the service needs them. Takes a list: the root, the service. */}}
{{- define "posthorn.serviceEnv" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $values := $root.Values -}}
{{ include "posthorn.kafkaEnv" $root }}
- name: POSTHORN_TRACE_RATIO
  value: {{ $values.trace.ratio | quote }}
{{- with $values.trace.otlpUrl }}
- name: POSTHORN_TRACE_OTLP_URL
  value: {{ . | quote }}
{{- end }}
{{- if has $name (list "registry" "ingest") }}
{{ include "posthorn.secretEnv" (list $root "POSTHORN_AUTH_PLATFORM_KEY" "platform-key" "optional") }}
- name: POSTHORN_AUTH_WRONG_KEYS_PER_MINUTE
  value: {{ $values.api.wrongKeysPerMinute | int64 | quote }}
{{- with $values.api.trustedProxies }}
- name: POSTHORN_TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
{{- end }}
{{- if has $name (list "registry" "ingest" "deliverer") }}
{{ include "posthorn.secretEnv" (list $root "POSTHORN_SEALING_KEYS" "sealing-keys") }}
{{- end }}
{{- if has $name (list "registry" "deliverer") }}
{{- with $values.egress.allow }}
- name: POSTHORN_EGRESS_ALLOW
  value: {{ join "," . | quote }}
{{- end }}
{{- end }}
{{- if has $name (list "registry" "replayer" "monitor") }}
{{ include "posthorn.secretEnv" (list $root "POSTHORN_DATABASE_URL" "database-url") }}
- name: POSTHORN_DATABASE_POOL
  value: {{ $values.database.pool | quote }}
{{- end }}
{{- if has $name (list "ingest" "router" "replayer" "monitor") }}
- name: POSTHORN_INGEST_MAX_EVENT_BYTES
  value: {{ $values.ingest.maxEventBytes | int64 | quote }}
- name: POSTHORN_INGEST_DEFAULT_TENANT
  value: {{ $values.ingest.defaultTenant | quote }}
{{- end }}
{{- if eq $name "deliverer" }}
- name: POSTHORN_DELIVERER_SOCKETS
  value: {{ $values.deliverer.sockets | int64 | quote }}
- name: POSTHORN_DELIVERER_WEBHOOK_CONCURRENCY
  value: {{ $values.deliverer.webhookConcurrency | int64 | quote }}
{{- end }}
{{- if eq $name "monitor" }}
- name: POSTHORN_MONITOR_RETENTION_DAYS
  value: {{ $values.monitor.retentionDays | quote }}
{{- end }}
{{- end -}}

{{/* The ports of a service besides health; empty for those that only read Kafka. */}}
{{- define "posthorn.ports" -}}
{{- if eq . "registry" -}}
[{"name": "http", "port": 8080, "protocol": "http"}, {"name": "grpc", "port": 9090, "protocol": "kubernetes.io/h2c"}]
{{- else if eq . "ingest" -}}
[{"name": "http", "port": 8081, "protocol": "http"}, {"name": "grpc", "port": 9091, "protocol": "kubernetes.io/h2c"}]
{{- else -}}
[]
{{- end -}}
{{- end -}}

{{/* Restricted Pod Security. The image names the same user. fsGroup: mounted secrets are for it alone. */}}
{{- define "posthorn.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "posthorn.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* A container that runs a command of the command line. Takes a list: the root, its name, the arguments, the services whose variables it has. */}}
{{- define "posthorn.commandContainer" -}}
{{- $root := index . 0 -}}
- name: {{ index . 1 }}
  image: {{ include "posthorn.image" $root | quote }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  command: [node, apps/cli/dist/main.js]
  args: {{ index . 2 | toJson }}
  env:
    {{- include "posthorn.env" (list $root (index . 3)) | nindent 4 }}
  volumeMounts:
    {{- include "posthorn.mounts" (list $root (index . 3)) | nindent 4 }}
  securityContext:
    {{- include "posthorn.containerSecurityContext" $root | nindent 4 }}
  resources:
    {{- toYaml $root.Values.setup.resources | nindent 4 }}
{{- end -}}

{{/* Whether setup makes the topics. */}}
{{- define "posthorn.setupTopics" -}}
{{- if and .Values.setup.topics (not .Values.strimzi.topics) -}}yes{{- end -}}
{{- end -}}

{{/* What is said to be hook, init or manual; a demonstration's Kafka and Postgres are not there when a hook runs. */}}
{{- define "posthorn.setupMode" -}}
{{- if .Values.demo.enabled -}}init{{- else -}}{{ .Values.setup.mode }}{{- end -}}
{{- end -}}

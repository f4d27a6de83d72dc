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
app.kubernetes.io/part-of: {{ $root.Chart.Name }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- with $root.Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "posthorn.image" -}}
{{- $image := .Values.image -}}
{{- $repository := required "image.repository is not set: build deploy/Dockerfile, push the image, and name it" $image.repository -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository ($image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "posthorn.imagePullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
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

{{/* Stops where the cluster does not know a kind that was asked for: to leave it out would pass unnoticed. Takes a list: the root, the value, the API. */}}
{{- define "posthorn.requireApi" -}}
{{- $root := index . 0 -}}
{{- if not ($root.Capabilities.APIVersions.Has (index . 2)) -}}
{{- fail (printf "%s is set and this cluster does not serve %s: install what brings it, or unset the value (helm template: --api-versions %s)" (index . 1) (index . 2) (index . 2)) -}}
{{- end -}}
{{- end -}}

#!/usr/bin/env bash
# Checks the chart without a cluster: lint, rendering, the refusal of what is misspelt or missing, and that every
# variable it sets exists. HELM names the program; with KUBECONFORM and K8S_SCHEMAS (a folder of JSON schemas) set, the
# objects are compared with the Kubernetes API too.
set -euo pipefail
cd "$(dirname "$0")/.."
HELM=${HELM:-helm}
CHART=k8s/posthorn
VALUES=$CHART/ci/example-values.yaml
OUT=$(mktemp)
trap 'rm -f "$OUT"' EXIT

fail() { echo "k8s/check.sh: $*" >&2; exit 1; }
refused() { # a word of the message, then what to render with
  local expected=$1; shift
  if "$HELM" template check "$CHART" "$@" >"$OUT" 2>&1; then fail "was not refused: $*"; fi
  grep -q -- "$expected" "$OUT" || fail "was refused without the word \"$expected\": $*: $(cat "$OUT")"
}

"$HELM" lint --strict --quiet "$CHART" -f "$VALUES"

refused logLevl -f "$VALUES" --set logLevl=debug
refused replica -f "$VALUES" --set services.router.replica=3
refused routr -f "$VALUES" --set services.routr.replicas=3
refused partitions -f "$VALUES" --set kafka.partitions=0
refused 'brokers' -f "$VALUES" --set 'kafka.brokers={kafka}'
refused 'image.repository is not set' -f "$VALUES" --set image.repository=
refused 'existingSecret is not set' -f "$VALUES" --set existingSecret=
refused 'kafka.brokers is not set' -f "$VALUES" --set 'kafka.brokers=null'

# Everything optional switched on, so that every variable and every branch is seen.
"$HELM" template check "$CHART" -f "$VALUES" --set trace.otlpUrl=http://tempo:4318 --set 'egress.allow={10.0.0.0/8}' \
  --set 'api.trustedProxies={10.0.0.0/8}' \
  --set 'imagePullSecrets={pull}' --set nodeSelector.disk=ssd --set 'tolerations[0].operator=Exists' >"$OUT"
for variable in $(grep -oE 'POSTHORN_[A-Z_]+$' "$OUT" | sort -u); do
  grep -q "'${variable#POSTHORN_}'" libs/process/src/settings.ts || fail "$variable is no setting"
done
[ "$(grep -c '^kind: Deployment' "$OUT")" = 7 ] || fail 'there are not seven Deployments'
if [ -n "${KUBECONFORM:-}" ]; then
  "$KUBECONFORM" -strict -summary -schema-location "$K8S_SCHEMAS/{{.ResourceKind}}{{.KindSuffix}}.json" <"$OUT" | tee /dev/stderr |
    grep -q '^Summary: 11 resources' || fail 'kubeconform did not look at all eleven objects, or refused some'
fi
echo 'the chart is sound'

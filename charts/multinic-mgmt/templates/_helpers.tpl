{{/*
Names are fixed and not derived from the name of the release: a cluster has one MGMT side, and clients use the names of its Services. The
names differ from those of charts/multinic, which may be in the same cluster or, with a warning, in the same namespace.
*/}}
{{- define "multinic-mgmt.mgmt" -}}multinic-mgmt{{- end }}
{{- define "multinic-mgmt.viola" -}}multinic-viola{{- end }}
{{- define "multinic-mgmt.violaService" -}}viola-api{{- end }}
{{- define "multinic-mgmt.inventoryService" -}}multinic-operator-inventory-service{{- end }}
{{- define "multinic-mgmt.claim" -}}{{ .Values.inventory.persistence.existingClaim | default "multinic-inventory" }}{{- end }}

{{/* Labels of every object in the chart. Takes (list $ NAME). */}}
{{- define "multinic-mgmt.labels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/part-of: multinic-mgmt
app.kubernetes.io/version: {{ include "multinic-mgmt.labelValue" $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ include "multinic-mgmt.labelValue" (printf "%s-%s" $root.Chart.Name $root.Chart.Version) }}
{{- end }}

{{/* A version as a label value: a version may have build metadata (0.1.0+53d9c5d), but a label value must not contain "+". */}}
{{- define "multinic-mgmt.labelValue" -}}
{{ . | replace "+" "_" | trunc 63 | trimAll "-_." }}
{{- end }}

{{/* The image reference. A digest takes precedence over a tag. */}}
{{- define "multinic-mgmt.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default ($.Chart.AppVersion | replace "+" "_") }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The settings that Pod Security `restricted` requires of a pod and of a container. The group can write to the volume of the inventory. */}}
{{- define "multinic-mgmt.restrictedPod" -}}
runAsNonRoot: true
{{- if .Values.fixedUser }}
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile: {type: RuntimeDefault}
{{- end }}
{{- define "multinic-mgmt.restrictedContainer" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Metadata of the pods of a component. Takes (list $ NAME VALUES). */}}
{{- define "multinic-mgmt.podMetadata" -}}
{{- $values := index . 2 -}}
labels:
  {{- include "multinic-mgmt.labels" (list (index . 0) (index . 1)) | nindent 2 }}
  {{- with $values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $values.podAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Where the pods of a component run. Takes (list NAME VALUES). */}}
{{- define "multinic-mgmt.placement" -}}
{{- $name := index . 0 -}}
{{- with index . 1 -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  - {{ set (deepCopy .) "labelSelector" (dict "matchLabels" (dict "app.kubernetes.io/name" $name)) | toJson }}
  {{- end }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Variables of a container, and then those of extraEnv. A name in both would be a list with a duplicate key, which a server-side apply rejects.
Takes (list YAML VALUES).
*/}}
{{- define "multinic-mgmt.env" -}}
{{- $names := list -}}
{{- range (index . 0 | fromYamlArray) }}{{ $names = append $names .name }}{{ end -}}
{{- range (index . 1).extraEnv -}}
{{- if has .name $names }}{{ fail (printf "extraEnv: %s is set by the chart; set the value that docs/mgmt-install.md names for it" .name) }}{{ end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- index . 0 }}
{{- with (index . 1).extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "multinic-mgmt.logEnv" -}}
- {name: LOG_LEVEL, value: {{ .Values.logLevel | quote }}}
- {name: LOG_FORMAT, value: {{ .Values.logFormat | quote }}}
{{- end }}

{{/* Port of Service viola-api. */}}
{{- define "multinic-mgmt.violaServicePort" -}}
{{ .Values.viola.servicePort | default (empty .Values.viola.tls.secretName | ternary 80 443) | int64 }}
{{- end }}

{{/* The URL of viola for mgmt. */}}
{{- define "multinic-mgmt.violaEndpoint" -}}
{{- if .Values.viola.endpoint -}}
{{ .Values.viola.endpoint }}
{{- else -}}
{{- $port := include "multinic-mgmt.violaServicePort" . -}}
{{- $scheme := empty .Values.viola.tls.secretName | ternary "http" "https" -}}
{{- $usual := eq $port (empty .Values.viola.tls.secretName | ternary "80" "443") -}}
{{ $scheme }}://{{ include "multinic-mgmt.violaService" . }}.{{ .Release.Namespace }}.svc{{ $usual | ternary "" (printf ":%s" $port) }}
{{- end -}}
{{- end }}

{{/* The namespaces whose OpenstackConfigs mgmt watches, as a JSON array; not used with allNamespaces. */}}
{{- define "multinic-mgmt.namespaces" -}}
{{ .Values.mgmt.namespaces | default (list .Release.Namespace) | uniq | sortAlpha | toJson }}
{{- end }}

{{/* Whether the inventory is an SQLite file. Empty if not. */}}
{{- define "multinic-mgmt.hasFile" -}}
{{- if and .Values.inventory.enabled (not .Values.database.host) }}true{{ end -}}
{{- end }}

{{/*
A cluster has one release. helm refuses a second one because the first owns the CRD, but --take-ownership would take it over, and the accounts
of the first release would lose their permissions. Objects that remain from a deleted release may be taken over.
*/}}
{{- define "multinic-mgmt.checkOne" -}}
{{- $crd := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "openstackconfigs.multinic.example.com" | default dict -}}
{{- $other := dig "metadata" "annotations" "meta.helm.sh/release-namespace" .Release.Namespace $crd -}}
{{- if and (ne $other .Release.Namespace) (lookup "apps/v1" "Deployment" $other (include "multinic-mgmt.mgmt" .)) -}}
{{- fail (printf "multinic-mgmt is already installed in namespace %s, and a cluster can have one release. Uninstall it first (helm list -n %s)" $other $other) -}}
{{- end -}}
{{- end }}

{{/* The Secrets that the values name and that do not exist, separated by commas. */}}
{{- define "multinic-mgmt.missingSecrets" -}}
{{- $volumes := include "multinic-mgmt.mgmtVolumeList" . | fromJsonArray -}}
{{- if .Values.viola.install }}{{ $volumes = concat $volumes (include "multinic-mgmt.violaVolumeList" . | fromJsonArray) }}{{ end -}}
{{- $names := compact (list .Values.contrabass.encryptKey.secretName) -}}
{{- range $volumes }}{{ with .source.secret }}{{ $names = append $names .secretName }}{{ end }}{{ end -}}
{{- $missing := list -}}
{{- range $names | uniq | sortAlpha -}}
{{- if not (lookup "v1" "Secret" $.Release.Namespace .) }}{{ $missing = append $missing . }}{{ end -}}
{{- end -}}
{{ join ", " $missing }}
{{- end }}

{{/* Names are fixed and not derived from the name of the release: a cluster has one MultiNIC, and its admission policy names the agent. */}}
{{- define "multinic.controller" -}}multinic-controller{{- end }}
{{- define "multinic.run" -}}multinic-run{{- end }}
{{- define "multinic.uninstall" -}}multinic-uninstall{{- end }}

{{/* Labels of every object in the chart. Takes (list $ NAME). */}}
{{- define "multinic.labels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/part-of: multinic
app.kubernetes.io/version: {{ include "multinic.labelValue" $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ include "multinic.labelValue" (printf "%s-%s" $root.Chart.Name $root.Chart.Version) }}
{{- end }}

{{/* A version as a label value: a version may have build metadata (0.1.0+53d9c5d, as Flux packages charts), but a label value must not contain "+". */}}
{{- define "multinic.labelValue" -}}
{{ . | replace "+" "_" | trunc 63 | trimAll "-_." }}
{{- end }}

{{/*
Defaults that the API server sets in a policy. resourceRules is replaced as a whole when it is merged, so without these defaults a tool that
compares the rendered object with the stored one (Argo CD) would always find a difference.
*/}}
{{- define "multinic.matchDefaults" -}}
matchPolicy: Equivalent
namespaceSelector: {}
objectSelector: {}
{{- end }}

{{/* An image reference. Takes (list $ .Values.….image). A digest takes precedence over a tag. */}}
{{- define "multinic.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default ($root.Chart.AppVersion | replace "+" "_") }}
{{- end -}}
{{- end }}

{{/* The settings that Pod Security `restricted` requires of a pod and of a container. */}}
{{- define "multinic.restrictedPod" -}}
runAsNonRoot: true
{{- if .Values.controller.fixedUser }}
runAsUser: 65532
runAsGroup: 65532
{{- end }}
seccompProfile: {type: RuntimeDefault}
{{- end }}
{{- define "multinic.restrictedContainer" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/*
The pods of the agent are privileged. helm creates a namespace without labels, which allows them unless the cluster has a stricter default.
A namespace with another level would reject every run, so the chart fails during the installation.
*/}}
{{- define "multinic.checkNamespace" -}}
{{- $namespace := lookup "v1" "Namespace" "" .Release.Namespace | default dict -}}
{{- $level := dig "metadata" "labels" "pod-security.kubernetes.io/enforce" "privileged" $namespace -}}
{{- if ne $level "privileged" -}}
{{- fail (printf "namespace %s enforces Pod Security %q, which rejects the pods of the agent. Allow them: kubectl label namespace %s pod-security.kubernetes.io/enforce=privileged --overwrite" .Release.Namespace $level .Release.Namespace) -}}
{{- end -}}
{{- end }}

{{/*
A cluster has one release. helm refuses a second one because the first owns the same objects, but --take-ownership would take over the permissions and
policies of the first, whose controller then fails. Objects that remain from a deleted namespace may be taken over.
*/}}
{{- define "multinic.checkOne" -}}
{{- $controller := include "multinic.controller" . -}}
{{- $binding := lookup "rbac.authorization.k8s.io/v1" "ClusterRoleBinding" "" $controller | default dict -}}
{{- range $binding.subjects | default list -}}
{{- if and (ne .namespace $.Release.Namespace) (lookup "v1" "ServiceAccount" .namespace $controller) -}}
{{- fail (printf "MultiNIC is already installed in namespace %s, and a cluster can have one release. Uninstall it first (helm list -n %s)" .namespace .namespace) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The controller's environment, as controller/config.ts reads it. */}}
{{- define "multinic.controllerEnv" -}}
- {name: NAMESPACE, value: {{ .Release.Namespace | quote }}}
- {name: POD_NAME, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.name}}}
- {name: LOG_LEVEL, value: {{ .Values.logLevel | quote }}}
- {name: METRICS_ADDR, value: ":8080"}
- {name: AGENT_IMAGE, value: {{ include "multinic.image" (list . .Values.agent.image) | quote }}}
- {name: AGENT_IMAGE_PULL_POLICY, value: {{ .Values.agent.image.pullPolicy | quote }}}
{{- if .Values.imagePullSecrets }}
- {name: AGENT_IMAGE_PULL_SECRETS, value: {{ include "multinic.pullSecretNames" .Values.imagePullSecrets | quote }}}
{{- end }}
- {name: AGENT_PRIVILEGED, value: {{ .Values.agent.privileged | quote }}}
- {name: AGENT_SERVICE_ACCOUNT, value: {{ include "multinic.run" . | quote }}}
- {name: AGENT_ROUTE_TABLE_BASE, value: {{ .Values.agent.routeTableBase | default 100 | int64 | quote }}}
- {name: AGENT_RULE_PRIORITY_BASE, value: {{ .Values.agent.rulePriorityBase | default 10000 | int64 | quote }}}
- {name: AGENT_RESOURCES, value: {{ include "multinic.jsonText" .Values.agent.resources }}}
- {name: AGENT_POD_LABELS, value: {{ include "multinic.jsonText" .Values.agent.podLabels }}}
- {name: AGENT_POD_ANNOTATIONS, value: {{ include "multinic.jsonText" .Values.agent.podAnnotations }}}
- {name: AGENT_TOLERATIONS, value: {{ include "multinic.jsonText" .Values.agent.tolerations }}}
{{- with .Values.agent.priorityClassName }}
- {name: AGENT_PRIORITY_CLASS, value: {{ . | quote }}}
{{- end }}
{{- with .Values.runs.allowMainTableRoutes }}
- {name: ALLOW_MAIN_TABLE_ROUTES, value: {{ join "," . | quote }}}
{{- end }}
- {name: ALLOW_DEFAULT_ROUTE, value: {{ .Values.runs.allowDefaultRoute | quote }}}
{{- with .Values.runs.protectedNetworks }}
- {name: PROTECTED_NETWORKS, value: {{ join "," . | quote }}}
{{- end }}
{{- with .Values.runs.podNetworks }}
- {name: POD_NETWORKS, value: {{ join "," . | quote }}}
{{- end }}
- {name: MAX_CONCURRENT_RUNS, value: {{ .Values.runs.maxConcurrent | int64 | quote }}}
- {name: KEEP_RUN_SECONDS, value: {{ .Values.runs.keepSeconds | int64 | quote }}}
- {name: WAIT_FOR_DEVICE_SECONDS, value: {{ .Values.runs.waitForDeviceSeconds | int64 | quote }}}
- {name: COMMIT_TIMEOUT_SECONDS, value: {{ .Values.runs.commitTimeoutSeconds | int64 | quote }}}
- {name: ACTIVE_DEADLINE_SECONDS, value: {{ .Values.runs.activeDeadlineSeconds | int64 | quote }}}
- {name: CHECK_INSTANCE_ID, value: {{ .Values.runs.checkInstanceId | quote }}}
{{- end }}
{{/* JSON as the value of an environment variable, without $(NAME), which Kubernetes would replace. */}}
{{- define "multinic.jsonText" -}}
{{ toJson . | replace "$" "\\u0024" | quote }}
{{- end }}
{{- define "multinic.pullSecretNames" -}}
{{- $names := list -}}
{{- range . }}{{ $names = append $names .name }}{{ end -}}
{{ join "," $names }}
{{- end }}

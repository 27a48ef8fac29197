{{/* The environment of mgmt, as mgmt/config.ts reads it. */}}
{{- define "multinic-mgmt.mgmtEnv" -}}
{{- include "multinic-mgmt.logEnv" . }}
- {name: NAMESPACE, value: {{ .Release.Namespace | quote }}}
- {name: POD_NAME, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.name}}}
- {name: MGMT_REPLICAS, value: {{ max 1 (int64 .Values.mgmt.replicas) | quote }}}
- {name: MGMT_ADDR, value: {{ printf ":%d" (int64 .Values.mgmt.port) | quote }}}
{{- if not .Values.mgmt.allNamespaces }}
- {name: MGMT_NAMESPACE, value: {{ include "multinic-mgmt.namespaces" . | fromJsonArray | join "," | quote }}}
{{- end }}
{{- with .Values.mgmt.poll }}
- {name: POLL_FAST_INTERVAL, value: {{ .fastInterval | quote }}}
- {name: POLL_FAST_WINDOW, value: {{ .fastWindow | quote }}}
- {name: POLL_SLOW_INTERVAL, value: {{ .slowInterval | quote }}}
- {name: POLL_ERROR_INTERVAL, value: {{ .errorInterval | quote }}}
{{- end }}
{{- with .Values.mgmt.secretEndpointHosts }}
- {name: SECRET_ENDPOINT_HOSTS, value: {{ join "," . | quote }}}
{{- end }}
{{- with .Values.mgmt.allowedProviders }}
- {name: VIOLA_ALLOWED_PROVIDERS, value: {{ include "multinic-mgmt.allowedProviders" . | quote }}}
{{- end }}
{{- if .Values.mgmt.ca.configMapName }}
- {name: NODE_EXTRA_CA_CERTS, value: {{ printf "/etc/multinic/ca/%s" .Values.mgmt.ca.key | quote }}}
{{- end }}
{{- with .Values.contrabass }}
{{- with .endpoint }}
- {name: CONTRABASS_ENDPOINT, value: {{ . | quote }}}
{{- end }}
- {name: CONTRABASS_TIMEOUT, value: {{ .timeout | quote }}}
- {name: CONTRABASS_INSECURE_TLS, value: {{ .insecureTLS | quote }}}
{{- if .encryptKey.secretName }}
- {name: CONTRABASS_ENCRYPT_KEY, valueFrom: {secretKeyRef: {name: {{ .encryptKey.secretName }}, key: {{ .encryptKey.key }}}}}
{{- end }}
{{- end }}
{{- with .Values.openstack }}
- {name: OPENSTACK_TIMEOUT, value: {{ .timeout | quote }}}
- {name: OPENSTACK_INSECURE_TLS, value: {{ .insecureTLS | quote }}}
{{- with .neutronEndpoint }}
- {name: OPENSTACK_NEUTRON_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- with .novaEndpoint }}
- {name: OPENSTACK_NOVA_ENDPOINT, value: {{ . | quote }}}
{{- end }}
- {name: OPENSTACK_ENDPOINT_INTERFACE, value: {{ .endpointInterface | quote }}}
{{- with .endpointRegion }}
- {name: OPENSTACK_ENDPOINT_REGION, value: {{ . | quote }}}
{{- end }}
{{- end }}
- {name: VIOLA_ENDPOINT, value: {{ include "multinic-mgmt.violaEndpoint" . | quote }}}
- {name: VIOLA_TIMEOUT, value: {{ .Values.viola.timeout | quote }}}
- {name: VIOLA_INSECURE_TLS, value: {{ .Values.viola.insecureTLS | quote }}}
{{- if include "multinic-mgmt.sendsToken" . }}
- {name: VIOLA_TOKEN_FILE, value: {{ printf "/etc/multinic/viola-token/%s" (empty .Values.viola.token.secretName | ternary "token" .Values.viola.token.key) | quote }}}
{{- end }}
- {name: INVENTORY_ENABLED, value: {{ .Values.inventory.enabled | quote }}}
{{- if .Values.inventory.enabled }}
{{ include "multinic-mgmt.inventoryEnv" . }}
{{- end }}
{{- end }}

{{- define "multinic-mgmt.inventoryEnv" -}}
- {name: INVENTORY_ADDR, value: {{ printf ":%d" (int64 .Values.inventory.port) | quote }}}
{{- if eq .Values.inventory.auth "none" }}
- {name: INVENTORY_AUTH, value: none}
{{- else }}
- {name: INVENTORY_KUBE_AUTH, value: {{ .Values.inventory.kubernetesTokens | quote }}}
{{- end }}
{{- if .Values.inventory.token.secretName }}
- {name: INVENTORY_TOKEN_FILE, value: {{ printf "/etc/multinic/inventory-token/%s" .Values.inventory.token.key | quote }}}
{{- end }}
{{- if .Values.inventory.clients.secretName }}
- {name: INVENTORY_CLIENTS, value: {{ printf "/etc/multinic/inventory-clients/%s" .Values.inventory.clients.key | quote }}}
{{- end }}
{{- if .Values.inventory.tls.secretName }}
- {name: INVENTORY_TLS_DIR, value: /etc/multinic/inventory-tls}
{{- end }}
{{- if include "multinic-mgmt.hasFile" . }}
- {name: INVENTORY_DB_PATH, value: {{ .Values.inventory.dbPath | quote }}}
- {name: SQLITE_TMPDIR, value: {{ dir .Values.inventory.dbPath | quote }}} {{- /* the only directory that SQLite can write to */}}
{{- else }}
{{- with .Values.database }}
- {name: DB_HOST, value: {{ .host | quote }}}
- {name: DB_PORT, value: {{ .port | int64 | quote }}}
- {name: DB_NAME, value: {{ .name | quote }}}
{{- if .user }}
- {name: DB_USER, value: {{ .user | quote }}}
{{- else }}
- {name: DB_USER_FILE, value: {{ printf "/etc/multinic/database/%s" .userKey | quote }}}
{{- end }}
- {name: DB_PASSWORD_FILE, value: {{ printf "/etc/multinic/database/%s" .passwordKey | quote }}}
{{- if .ca.secretName }}
- {name: DB_CA_FILE, value: {{ printf "/etc/multinic/database-ca/%s" .ca.key | quote }}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The environment of viola, as viola/config.ts reads it. */}}
{{- define "multinic-mgmt.violaEnv" -}}
{{- include "multinic-mgmt.logEnv" . }}
- {name: VIOLA_ADDR, value: {{ printf ":%d" (int64 .Values.viola.port) | quote }}}
{{- with .Values.viola }}
{{- if .token.secretName }}
- {name: VIOLA_TOKEN_FILE, value: {{ printf "/etc/multinic/viola-token/%s" .token.key | quote }}}
{{- end }}
{{- if eq .auth "none" }}
- {name: VIOLA_AUTH, value: none}
{{- else }}
- {name: VIOLA_KUBE_AUTH, value: {{ .kubernetesTokens | quote }}}
{{- end }}
{{- if .clients.secretName }}
- {name: VIOLA_CLIENTS, value: {{ printf "/etc/multinic/clients/%s" .clients.key | quote }}}
{{- end }}
{{- if .tls.secretName }}
- {name: VIOLA_TLS_DIR, value: /etc/multinic/tls}
{{- end }}
{{- if .clusters.secretName }}
- {name: VIOLA_CLUSTERS, value: {{ printf "/etc/multinic/clusters/%s" .clusters.key | quote }}}
{{- end }}
{{- if .targetSecrets }}
- {name: VIOLA_SECRETS_NAMESPACE, value: {{ $.Release.Namespace | quote }}}
{{- end }}
{{- end }}
{{- end }}

{{/* Whether mgmt sends a token to viola: one from a Secret, or that of its own service account. Empty if not. */}}
{{- define "multinic-mgmt.sendsToken" -}}
{{- if or .Values.viola.token.secretName (include "multinic-mgmt.sendsOwnToken" .) }}true{{ end -}}
{{- end }}
{{- define "multinic-mgmt.sendsOwnToken" -}}
{{- with .Values.viola -}}
{{- if and .install .kubernetesTokens (not .token.secretName) (ne .auth "none") }}true{{ end -}}
{{- end -}}
{{- end }}

{{/* namespace=id,id;namespace=id */}}
{{- define "multinic-mgmt.allowedProviders" -}}
{{- $entries := list -}}
{{- range $namespace, $ids := . }}{{ $entries = append $entries (printf "%s=%s" $namespace (join "," $ids)) }}{{ end -}}
{{ join ";" $entries }}
{{- end }}

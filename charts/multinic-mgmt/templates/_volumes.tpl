{{/*
Volumes of the pods: one for each Secret, mounted as a directory below /etc/multinic, because the kubelet renews the files of a directory when
the Secret changes (not those of a subPath). {name, source, path, write} of each, as a JSON array.
*/}}
{{- define "multinic-mgmt.mgmtVolumeList" -}}
{{- $all := list -}}
{{- if include "multinic-mgmt.sendsToken" . -}}
{{- $all = append $all (dict "name" "viola-token" "source" (include "multinic-mgmt.tokenSource" . | fromYaml)) -}}
{{- end -}}
{{- with .Values.mgmt.ca.configMapName -}}
{{- $all = append $all (dict "name" "ca" "source" (dict "configMap" (dict "name" .))) -}}
{{- end -}}
{{- if .Values.inventory.enabled -}}
{{- with .Values.inventory.token.secretName -}}
{{- $all = append $all (dict "name" "inventory-token" "source" (dict "secret" (dict "secretName" .))) -}}
{{- end -}}
{{- with .Values.inventory.clients.secretName -}}
{{- $all = append $all (dict "name" "inventory-clients" "source" (dict "secret" (dict "secretName" .))) -}}
{{- end -}}
{{- with .Values.inventory.tls.secretName -}}
{{- $all = append $all (dict "name" "inventory-tls" "source" (dict "secret" (dict "secretName" .))) -}}
{{- end -}}
{{- if .Values.database.host -}}
{{- with .Values.database.secretName -}}
{{- $all = append $all (dict "name" "database" "source" (dict "secret" (dict "secretName" .))) -}}
{{- end -}}
{{- with .Values.database.ca.secretName -}}
{{- $all = append $all (dict "name" "database-ca" "source" (dict "secret" (dict "secretName" .))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if include "multinic-mgmt.hasFile" . -}}
{{- $claim := dict "persistentVolumeClaim" (dict "claimName" (include "multinic-mgmt.claim" .)) -}}
{{- $source := .Values.inventory.persistence.enabled | ternary $claim (dict "emptyDir" dict) -}}
{{- $all = append $all (dict "name" "inventory" "source" $source "path" (dir .Values.inventory.dbPath) "write" true) -}}
{{- end -}}
{{ toJson $all }}
{{- end }}

{{- define "multinic-mgmt.violaVolumeList" -}}
{{- $all := list -}}
{{- with .Values.viola -}}
{{- range $name, $secret := dict "viola-token" .token "clients" .clients "tls" .tls "clusters" .clusters -}}
{{- with $secret.secretName -}}
{{- $all = append $all (dict "name" $name "source" (dict "secret" (dict "secretName" .))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{ toJson $all }}
{{- end }}

{{/* The token that mgmt sends to viola: from the Secret, or its own, which the kubelet renews. */}}
{{- define "multinic-mgmt.tokenSource" -}}
{{- if .Values.viola.token.secretName -}}
secret: {secretName: {{ .Values.viola.token.secretName }}}
{{- else -}}
projected: {sources: [{serviceAccountToken: {audience: multinic, expirationSeconds: 3600, path: token}}]}
{{- end -}}
{{- end }}

{{- define "multinic-mgmt.mgmtVolumes" }}{{ include "multinic-mgmt.volumes" (include "multinic-mgmt.mgmtVolumeList" .) }}{{ end }}
{{- define "multinic-mgmt.violaVolumes" }}{{ include "multinic-mgmt.volumes" (include "multinic-mgmt.violaVolumeList" .) }}{{ end }}
{{- define "multinic-mgmt.mgmtMounts" }}{{ include "multinic-mgmt.mounts" (include "multinic-mgmt.mgmtVolumeList" .) }}{{ end }}
{{- define "multinic-mgmt.violaMounts" }}{{ include "multinic-mgmt.mounts" (include "multinic-mgmt.violaVolumeList" .) }}{{ end }}

{{- define "multinic-mgmt.volumes" -}}
{{- $all := list -}}
{{- range fromJsonArray . }}{{ $all = append $all (merge (dict "name" .name) .source) }}{{ end -}}
{{- with $all }}{{ toYaml . }}{{ end -}}
{{- end }}

{{- define "multinic-mgmt.mounts" -}}
{{- $all := list -}}
{{- range fromJsonArray . -}}
{{- $mount := dict "name" .name "mountPath" (.path | default (printf "/etc/multinic/%s" .name)) -}}
{{- $all = append $all (empty .write | ternary (merge (dict "readOnly" true) $mount) $mount) -}}
{{- end -}}
{{- with $all }}{{ toYaml . }}{{ end -}}
{{- end }}

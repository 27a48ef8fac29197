{{/*
Ingress rules. Takes a list of {from, ports}. Without a peer there is no rule, because an empty `from` would admit every client. Returns
nothing if there is no rule, because the API server drops an empty list, and GitOps tools would always find a difference.
*/}}
{{- define "multinic-mgmt.ingress" -}}
{{- $rules := list -}}
{{- range . }}{{ if .from }}{{ $rules = append $rules (dict "from" .from "ports" (include "multinic-mgmt.tcp" .ports | fromJsonArray)) }}{{ end }}{{ end -}}
{{- with $rules }}{{ toYaml . }}{{ end -}}
{{- end }}

{{/* Egress rules. Takes a list of {to, ports}. Without a port there is no rule: an empty list would admit every port. */}}
{{- define "multinic-mgmt.egress" -}}
{{- $rules := list -}}
{{- range . -}}
{{- if .ports -}}
{{- $rule := dict "ports" (include "multinic-mgmt.tcp" .ports | fromJsonArray) -}}
{{- $rules = append $rules (empty .to | ternary $rule (merge (dict "to" .to) $rule)) -}}
{{- end -}}
{{- end -}}
{{ toYaml $rules }}
{{- end }}

{{- define "multinic-mgmt.dns" -}}
{{- $ports := list -}}
{{- range .ports -}}
{{- $ports = concat $ports (list (dict "port" (int64 .) "protocol" "UDP") (dict "port" (int64 .) "protocol" "TCP")) -}}
{{- end -}}
{{- with $ports -}}
{{ toYaml (list (empty $.to | ternary (dict "ports" .) (dict "ports" . "to" $.to))) }}
{{- end -}}
{{- end }}

{{- define "multinic-mgmt.tcp" -}}
{{- $ports := list -}}
{{- range . }}{{ $ports = append $ports (int64 .) }}{{ end -}}
{{- $all := list -}}
{{- range uniq $ports }}{{ $all = append $all (dict "port" . "protocol" "TCP") }}{{ end -}}
{{ toJson $all }}
{{- end }}

{{/* The port of a URL, as a JSON array; [] without a URL. */}}
{{- define "multinic-mgmt.portsOf" -}}
{{- if . -}}
{{- $url := urlParse . -}}
{{- $explicit := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
[{{ $explicit | default (eq $url.scheme "https" | ternary 443 80) }}]
{{- else -}}
[]
{{- end -}}
{{- end }}

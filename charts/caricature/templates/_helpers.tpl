{{- define "caricature.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "caricature.selectorLabels" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "caricature.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "caricature.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: caricature
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* repository@digest, else repository:tag; the program's own images have the chart's version as their tag. */}}
{{- define "caricature.image" -}}
{{- $repository := .image.repository -}}
{{- with .root.Values.imageRegistry -}}{{- $repository = printf "%s/%s" (trimSuffix "/" .) $repository -}}{{- end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end -}}

{{/* What Pod Security "restricted" asks of a pod, and of a container. */}}
{{- define "caricature.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "caricature.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Where a pod may go, and how it is spread: of the values of a component. */}}
{{- define "caricature.scheduling" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- if hasKey .values "topologySpreadConstraints" }}
topologySpreadConstraints:
{{- if .values.topologySpreadConstraints }}
  {{- toYaml .values.topologySpreadConstraints | nindent 2 }}
{{- else }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "caricature.selectorLabels" (dict "root" .root "component" .component) | nindent 8 }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "caricature.podAnnotations" -}}
{{- if and .metricsPort .root.Values.monitoring.annotations }}
prometheus.io/scrape: "true"
prometheus.io/port: {{ .metricsPort | quote }}
prometheus.io/path: /metrics
{{- end }}
{{- with .values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The namespaces that resources are worked on in; "*" is all of them. */}}
{{- define "caricature.namespaces" -}}
{{- default (list .Release.Namespace) .Values.namespaces | join "," -}}
{{- end -}}
{{- define "caricature.isClusterWide" -}}
{{- if has "*" .Values.namespaces -}}true{{- end -}}
{{- end -}}
{{/* The namespaces that workers surely run in, and so need their account and their access to the artifact store. */}}
{{- define "caricature.workerNamespaces" -}}
{{- if include "caricature.isClusterWide" . -}}{{- .Release.Namespace -}}{{- else -}}{{- include "caricature.namespaces" . -}}{{- end -}}
{{- end -}}

{{- define "caricature.workerServiceAccount" -}}
{{- include "caricature.fullname" . }}-worker
{{- end -}}
{{- define "caricature.apiSecret" -}}
{{- default (printf "%s-api" (include "caricature.fullname" .)) .Values.apiToken.existingSecret -}}
{{- end -}}
{{- define "caricature.inferenceSecret" -}}
{{- default (printf "%s-inference" (include "caricature.fullname" .)) .Values.inference.auth.existingSecret -}}
{{- end -}}
{{- define "caricature.postgresqlSecret" -}}
{{- default (printf "%s-postgresql" (include "caricature.fullname" .)) .Values.postgresql.existingSecret -}}
{{- end -}}
{{- define "caricature.databaseSecret" -}}
{{- if .Values.postgresql.enabled -}}{{- include "caricature.postgresqlSecret" . -}}{{- else -}}{{- .Values.database.existingSecret -}}{{- end -}}
{{- end -}}
{{/* Empty where the pods' own identity is used. */}}
{{- define "caricature.artifactsSecret" -}}
{{- if .Values.artifacts.existingSecret -}}
{{- .Values.artifacts.existingSecret -}}
{{- else if .Values.objectStore.enabled -}}
{{- include "caricature.fullname" . }}-artifacts
{{- end -}}
{{- end -}}
{{- define "caricature.artifactsEndpoint" -}}
{{- if .Values.objectStore.enabled -}}
http://{{ include "caricature.fullname" . }}-objects.{{ .Release.Namespace }}.svc:7070
{{- else -}}
{{- .Values.artifacts.endpoint -}}
{{- end -}}
{{- end -}}
{{- define "caricature.bucket" -}}
{{- (urlParse .Values.artifacts.uri).host -}}
{{- end -}}
{{- define "caricature.controllerUrl" -}}
http://{{ include "caricature.fullname" . }}-controller.{{ .Release.Namespace }}.svc:3000
{{- end -}}

{{/*
A generated value of a Secret: what is there stays, so that an upgrade changes no password. Remembered for this rendering, so that a Secret and
whatever hashes it see the same one. Takes {root, secret, key, length}.
*/}}
{{- define "caricature.generated" -}}
{{- $known := get .root.Values "generatedSecrets" | default dict -}}
{{- $id := printf "%s/%s" .secret .key -}}
{{- if not (hasKey $known $id) -}}
{{- $there := (lookup "v1" "Secret" .root.Release.Namespace .secret).data | default dict -}}
{{- $_ := set $known $id (hasKey $there .key | ternary (get $there .key | b64dec) (randAlphaNum (int .length))) -}}
{{- $_ := set .root.Values "generatedSecrets" $known -}}
{{- end -}}
{{- get $known $id -}}
{{- end -}}

{{/* How a program reaches the artifact store. */}}
{{- define "caricature.artifactsEnv" -}}
- name: CARICATURE_ARTIFACTS_URI
  value: {{ .Values.artifacts.uri | quote }}
- name: AWS_REGION
  value: {{ .Values.artifacts.region | quote }}
{{- with include "caricature.artifactsEndpoint" . }}
- name: CARICATURE_S3_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- with include "caricature.artifactsSecret" . }}
{{- range list "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY" }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ include "caricature.artifactsSecret" $ }}
      key: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

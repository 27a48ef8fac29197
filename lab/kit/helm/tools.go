//go:build tools

// Package kit pins the helm of the lab.
package kit

import _ "helm.sh/helm/v3/cmd/helm"

//go:build tools

// Package kit pins the etcd of the lab.
package kit

import _ "go.etcd.io/etcd/server/v3"

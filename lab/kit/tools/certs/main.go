// certs DIR NAME-OR-ADDRESS... writes the keys and certificates of one API server into DIR:
//
//	ca.crt, ca.key              the authority of this cluster
//	apiserver.crt, .key         serving certificate, for the names and addresses given
//	kubelet-client.crt, .key    client certificate of the API server for kubelets
//	sa.key                      signs ServiceAccount tokens
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const validFor = 10 * 365 * 24 * time.Hour

type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: certs DIR NAME-OR-ADDRESS...")
		os.Exit(2)
	}
	dir, sans := os.Args[1], os.Args[2:]
	ca := issue(dir, "ca", authority(), nil)
	issue(dir, "apiserver", server(sans), &ca)
	issue(dir, "kubelet-client", client("kube-apiserver-kubelet-client"), &ca)
	writeKey(filepath.Join(dir, "sa.key"), newKey())
}

func authority() *x509.Certificate {
	cert := template("multinic-lab")
	cert.IsCA = true
	cert.BasicConstraintsValid = true
	cert.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	return cert
}

func server(sans []string) *x509.Certificate {
	cert := template("kube-apiserver")
	cert.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, san := range sans {
		if ip := net.ParseIP(san); ip != nil {
			cert.IPAddresses = append(cert.IPAddresses, ip)
		} else {
			cert.DNSNames = append(cert.DNSNames, san)
		}
	}
	return cert
}

func client(name string) *x509.Certificate {
	cert := template(name)
	cert.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return cert
}

func template(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	check(err)
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour), // the clock of a VM may be slow
		NotAfter:     time.Now().Add(validFor),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

func issue(dir, name string, cert *x509.Certificate, by *pair) pair {
	key := newKey()
	signer := pair{cert, key}
	if by != nil {
		signer = *by
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, signer.cert, &key.PublicKey, signer.key)
	check(err)
	write(filepath.Join(dir, name+".crt"), "CERTIFICATE", der)
	writeKey(filepath.Join(dir, name+".key"), key)
	return pair{cert, key}
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	return key
}

func writeKey(path string, key *ecdsa.PrivateKey) {
	der, err := x509.MarshalECPrivateKey(key)
	check(err)
	write(path, "EC PRIVATE KEY", der)
}

func write(path, kind string, der []byte) {
	check(os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "certs:", err)
		os.Exit(1)
	}
}

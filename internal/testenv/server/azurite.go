package server

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
)

// The account of Azurite and its key, which Microsoft publishes for everybody:
// https://learn.microsoft.com/azure/storage/common/storage-use-azurite
const (
	AzuriteAccount = "devstoreaccount1"
	AzuriteKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// Azurite is a running emulator of Azure Blob Storage.
type Azurite struct{ *process }

// AzuriteHost is the name of the account's host on a secure Azurite, as Azure's
// names begin with the account's; no resolver knows it.
const AzuriteHost = AzuriteAccount + ".blob.localhost"

// StartAzurite runs npm's Azurite, which tells nobody that it runs.
func StartAzurite(ctx context.Context, i *Installer) (*Azurite, error) {
	return startAzurite(ctx, i, func(*process) ([]string, error) { return nil, nil })
}

// StartSecureAzurite runs an Azurite that speaks TLS, with a certificate of its
// own (CertFile) for AzuriteHost, and takes any bearer token that is of the right
// form, unsigned ones too.
func StartSecureAzurite(ctx context.Context, i *Installer) (*Azurite, error) {
	return startAzurite(ctx, i, func(p *process) ([]string, error) {
		err := p.certify("localhost", AzuriteHost)
		return []string{"--oauth", "basic", "--cert", p.CertFile(), "--key", p.keyFile()}, err
	})
}

func startAzurite(ctx context.Context, i *Installer, more func(p *process) (args []string, err error)) (*Azurite, error) {
	dir, err := i.NPM(ctx, "azurite", azuriteVersion, nil)
	if err != nil {
		return nil, err
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, errors.New("node is missing, which runs Azurite: install Node.js 20 or later")
	}
	p, err := newProcess("azurite")
	if err != nil {
		return nil, err
	}
	args, err := more(p)
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	args = append([]string{
		filepath.Join(dir, "dist", "src", "blob", "main.js"),
		"--blobHost", "127.0.0.1", "--blobPort", strconv.Itoa(p.port), "--location", p.folder,
		"--silent", "--disableTelemetry", "--skipApiVersionCheck",
	}, args...)
	p.answer = p.dial
	p.make = func() *exec.Cmd { return p.command(node, args...) }
	if err := p.Start(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return &Azurite{p}, nil
}

// ConnectionString is what AZURE_STORAGE_CONNECTION_STRING takes.
func (s *Azurite) ConnectionString() string { return AzuriteConnectionString(s.addr()) }

// AzuriteConnectionString names an Azurite behind any address, such as a proxy's.
func AzuriteConnectionString(addr string) string {
	return fmt.Sprintf("DefaultEndpointsProtocol=http;AccountName=%s;AccountKey=%s;BlobEndpoint=http://%s/%s;",
		AzuriteAccount, AzuriteKey, addr, AzuriteAccount)
}

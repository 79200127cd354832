// Package configuration reads a tunnel's .conf file, as `wg setconf`, AmneziaWG's apps and wireproxy spell it,
// and turns it into the settings that a device takes over its UAPI.
//
// It does not judge values: the device does, and its error is shown as it is. Sections other than [Interface] and
// [Peer] are refused, so that a file never means less than it says.
package configuration

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// DefaultMTU is the MTU of the inner network where the file names none, as in wireproxy and the TUN daemons.
const DefaultMTU = 1420

// Configuration is one tunnel.
type Configuration struct {
	Addresses []netip.Addr // the tunnel's own addresses
	DNS       []netip.Addr // name servers, asked through the tunnel
	MTU       int          // of the inner network, bytes
	UAPI      string       // everything that the device itself must know, one key=value a line
}

// obfuscation lists the keys that AmneziaWG adds to [Interface]; their UAPI names are the same in lower case.
var obfuscation = map[string]bool{
	"jc": true, "jmin": true, "jmax": true,
	"s1": true, "s2": true, "s3": true, "s4": true,
	"h1": true, "h2": true, "h3": true, "h4": true,
	"i1": true, "i2": true, "i3": true, "i4": true, "i5": true,
}

// Read parses the file at path.
func Read(path string) (*Configuration, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	configuration, err := Parse(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return configuration, nil
}

// Parse reads one configuration. Errors name the line.
func Parse(text io.Reader) (*Configuration, error) {
	parser := parser{configuration: &Configuration{MTU: DefaultMTU}}
	scanner := bufio.NewScanner(text)
	for number := 1; scanner.Scan(); number++ {
		line, _, _ := strings.Cut(scanner.Text(), "#")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if err := parser.line(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, err
	}
	parser.configuration.UAPI = parser.device.String() + parser.peers.String()
	return parser.configuration, nil
}

// parser keeps the device's own settings apart from the peers', since UAPI wants the former first.
type parser struct {
	configuration *Configuration
	device, peers strings.Builder
	section       string
}

func (p *parser) line(line string) error {
	if strings.HasPrefix(line, "[") {
		p.section = strings.ToLower(line)
		switch p.section {
		case "[interface]", "[peer]":
			return nil
		}
		return fmt.Errorf("section %s: expected [Interface] or [Peer]", line)
	}
	key, value, found := strings.Cut(line, "=")
	if !found {
		return fmt.Errorf("%q: expected key = value", line)
	}
	key, value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
	switch p.section {
	case "[interface]":
		return p.interfaceKey(key, value)
	case "[peer]":
		return p.peerKey(key, value)
	}
	return fmt.Errorf("%s: stands outside a section", key)
}

func (p *parser) interfaceKey(key, value string) (err error) {
	switch {
	case key == "privatekey":
		return setKey(&p.device, "private_key", value)
	case key == "listenport":
		set(&p.device, "listen_port", value)
	case key == "fwmark":
		set(&p.device, "fwmark", value)
	case key == "mtu":
		p.configuration.MTU, err = strconv.Atoi(value)
	case key == "address":
		return appendEach(&p.configuration.Addresses, value, func(text string) (netip.Addr, error) {
			address, _, _ := strings.Cut(text, "/")
			return netip.ParseAddr(address)
		})
	case key == "dns":
		return appendEach(&p.configuration.DNS, value, netip.ParseAddr)
	case obfuscation[key]:
		set(&p.device, key, value)
	default:
		return fmt.Errorf("%s: unknown in [Interface]", key)
	}
	return err
}

func (p *parser) peerKey(key, value string) error {
	switch key {
	case "publickey":
		return setKey(&p.peers, "public_key", value)
	case "presharedkey":
		return setKey(&p.peers, "preshared_key", value)
	case "endpoint":
		set(&p.peers, "endpoint", value)
	case "persistentkeepalive":
		set(&p.peers, "persistent_keepalive_interval", value)
	case "allowedips":
		for _, network := range list(value) {
			set(&p.peers, "allowed_ip", network)
		}
	default:
		return fmt.Errorf("%s: unknown in [Peer]", key)
	}
	return nil
}

func set(settings *strings.Builder, key, value string) {
	fmt.Fprintf(settings, "%s=%s\n", key, value)
}

// setKey turns a key from base64, as files have it, to hex, as UAPI wants it.
func setKey(settings *strings.Builder, key, value string) error {
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil || len(raw) != 32 {
		return fmt.Errorf("%s: expected 32 bytes in base64", key)
	}
	set(settings, key, hex.EncodeToString(raw))
	return nil
}

func appendEach(to *[]netip.Addr, value string, parse func(string) (netip.Addr, error)) error {
	for _, text := range list(value) {
		address, err := parse(text)
		if err != nil {
			return err
		}
		*to = append(*to, address)
	}
	return nil
}

func list(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
}

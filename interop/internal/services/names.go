package services

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// AnswerNames is a DNS server that knows one thing: any name under .test has the given addresses. Every other name
// does not exist.
func AnswerNames(socket net.PacketConn, addresses []netip.Addr) {
	buffer := make([]byte, 1500)
	for {
		length, from, err := socket.ReadFrom(buffer)
		if err != nil {
			return
		}
		if answer, err := answerName(buffer[:length], addresses); err == nil {
			_, _ = socket.WriteTo(answer, from)
		}
	}
}

// ServeNames is the same over TCP: each message behind its length (RFC 1035, section 4.2.2).
func ServeNames(listener net.Listener, addresses []netip.Addr) {
	Serve(listener, func(connection net.Conn) error {
		for {
			var length uint16
			if err := binary.Read(connection, binary.BigEndian, &length); err != nil {
				return nil // the asker has no more questions
			}
			query := make([]byte, length)
			if _, err := io.ReadFull(connection, query); err != nil {
				return err
			}
			answer, err := answerName(query, addresses)
			if err != nil {
				return err
			}
			framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)
			if _, err := connection.Write(framed); err != nil {
				return err
			}
		}
	})
}

func answerName(query []byte, addresses []netip.Addr) ([]byte, error) {
	var parser dnsmessage.Parser
	header, err := parser.Start(query)
	if err != nil {
		return nil, err
	}
	question, err := parser.Question()
	if err != nil {
		return nil, err
	}
	reply := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: header.ID, Response: true, RecursionDesired: header.RecursionDesired, RecursionAvailable: true,
		},
		Questions: []dnsmessage.Question{question},
	}
	if !strings.HasSuffix(strings.ToLower(question.Name.String()), ".test.") {
		reply.RCode = dnsmessage.RCodeNameError
		return reply.Pack()
	}
	for _, address := range addresses {
		resource := dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: question.Class, TTL: 60},
		}
		switch {
		case question.Type == dnsmessage.TypeA && address.Is4():
			resource.Body = &dnsmessage.AResource{A: address.As4()}
		case question.Type == dnsmessage.TypeAAAA && address.Is6():
			resource.Body = &dnsmessage.AAAAResource{AAAA: address.As16()}
		default:
			continue
		}
		reply.Answers = append(reply.Answers, resource)
	}
	return reply.Pack()
}

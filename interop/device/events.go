package device

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// events collects what happens until the command that caused it is answered.
type events struct {
	mutex sync.Mutex
	start time.Time
	lines []string
}

// add notes one thing that happened now.
func (e *events) add(word string, fields ...string) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	line := fmt.Sprintf("%s %d", word, time.Since(e.start).Nanoseconds())
	for _, field := range fields {
		line += " " + strings.ReplaceAll(field, "\n", "; ")
	}
	e.lines = append(e.lines, line)
}

// flush writes what was noted and forgets it.
func (e *events) flush(out io.Writer) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for _, line := range e.lines {
		fmt.Fprintln(out, line)
	}
	e.lines = nil
}

// text is how bytes are written: hex, `-` for none.
func text(data []byte) string {
	if len(data) == 0 {
		return "-"
	}
	return hex.EncodeToString(data)
}

// bytes reads what text wrote.
func bytes(field string) ([]byte, error) {
	if field == "-" {
		return nil, nil
	}
	return hex.DecodeString(field)
}

func all(fields []string) ([][]byte, error) {
	read := make([][]byte, 0, len(fields))
	for _, field := range fields {
		data, err := bytes(field)
		if err != nil {
			return nil, err
		}
		read = append(read, data)
	}
	return read, nil
}

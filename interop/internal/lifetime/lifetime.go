// Package lifetime is how every program here talks with the one that started it: one JSON object a line on stdout,
// first among them "ready"; commands, a line each, on stdin; and the end when stdin closes or SIGTERM or SIGINT comes.
//
// So nothing outlives its parent, and a test waits for a line instead of for a time.
package lifetime

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
)

// Fields are what a line says beside the name of its event.
type Fields map[string]any

var output sync.Mutex

// Emit prints one event.
func Emit(event string, fields Fields) {
	line := Fields{"event": event}
	for name, value := range fields {
		line[name] = value
	}
	text, err := json.Marshal(line)
	if err != nil {
		Fail(err)
	}
	output.Lock()
	defer output.Unlock()
	fmt.Printf("%s\n", text)
}

// Fail ends the program with a line that says why.
func Fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Must ends the program if err is set.
func Must(err error) {
	if err != nil {
		Fail(err)
	}
}

// Command carries out one line from stdin: its first word and the rest.
type Command func(argument string) error

// Run takes commands until the program shall end. A command that is unknown or fails gives an "error" event.
func Run(commands map[string]Command) {
	end := make(chan struct{})
	go func() {
		defer close(end)
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			name, argument, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
			command, found := commands[name]
			if !found {
				Emit("error", Fields{"command": name, "reason": "unknown command"})
				continue
			}
			if err := command(argument); err != nil {
				Emit("error", Fields{"command": name, "reason": err.Error()})
			}
		}
	}()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	select {
	case <-end:
	case <-signals:
	}
}

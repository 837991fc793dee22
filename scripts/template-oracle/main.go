// Writes test/golden/template.jsonl: what Go's text/template makes of the templates in cases.txt.
// Run in this folder: go run . > ../../test/golden/template.jsonl
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"os"
	"strings"
	"text/template"
	"time"
)

//go:embed cases.txt
var cases string

//go:embed data.json
var data string

type Priority int

func (p Priority) String() string {
	return []string{"", "Debug", "Informational", "Notice", "Warning", "Error", "Critical", "Alert", "Emergency"}[p]
}

type Event struct {
	UUID         string
	Output       string
	Priority     Priority
	Rule         string
	Time         time.Time
	OutputFields map[string]interface{}
	Source       string
	Tags         []string
	Hostname     string
}

type Result struct {
	Root     string `json:"root"`
	Template string `json:"template"`
	Text     string `json:"text,omitempty"`
	// parse: the text is no template; run: it stops half-way.
	Fails string `json:"fails,omitempty"`
}

func load() (map[string]interface{}, Event) {
	var raw struct {
		Time   string                 `json:"time"`
		Fields map[string]interface{} `json:"output_fields"`
	}
	decoder := json.NewDecoder(strings.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&raw); err != nil {
		panic(err)
	}
	at, err := time.Parse(time.RFC3339, raw.Time)
	if err != nil {
		panic(err)
	}
	return raw.Fields, Event{
		UUID: "7e5b6d0e-0000-4000-8000-000000000001", Output: "10:20:30.1: Warning Shell (user=root)", Priority: 4,
		Rule: "Terminal shell", Time: at, OutputFields: raw.Fields, Source: "syscall", Tags: []string{"T1059", "shell"}, Hostname: "node-1",
	}
}

func run(root, text string) Result {
	fields, event := load()
	result := Result{Root: root, Template: text}
	parsed, err := template.New("").Parse(text)
	if err != nil {
		result.Fails = "parse"
		return result
	}
	var out bytes.Buffer
	if root == "fields" {
		err = parsed.Execute(&out, fields)
	} else {
		err = parsed.Execute(&out, event)
	}
	if err != nil {
		result.Fails = "run"
		return result
	}
	result.Text = out.String()
	return result
}

func main() {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	root := "fields"
	for _, line := range strings.Split(cases, "\n") {
		if line == "" || strings.HasPrefix(line, "## ") {
			continue
		}
		if line == "@fields" || line == "@event" {
			root = line[1:]
			continue
		}
		if err := encoder.Encode(run(root, strings.ReplaceAll(line, "⏎", "\n"))); err != nil {
			panic(err)
		}
	}
}

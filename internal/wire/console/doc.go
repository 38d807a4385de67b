// Package console is the API of our web console, under /console/api: it
// decodes, calls the core and encodes. README.md lists the routes.
package console

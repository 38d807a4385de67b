package server

import (
	"io"
	"strings"
)

// homePage says what runs here, in both languages.
func homePage() io.ReadSeeker {
	return strings.NewReader(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Tolmach</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:10vh auto;padding:0 1rem}</style>
<h1>Tolmach</h1>
<p>The server runs. The web console is not part of this build; operators work through
<code>/console/api</code>, whose page is in the repository: <code>internal/wire/console/README.md</code>.</p>
<p lang="ru">Сервер работает. Веб-консоли в этой сборке нет; операторы работают через
<code>/console/api</code>, описание лежит в репозитории: <code>internal/wire/console/README.md</code>.</p>
</html>
`)
}

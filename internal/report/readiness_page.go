package report

const readinessTemplate = pageHead + `
<article>
<header class="head {{.Tone}}">
<h1>{{.Title}}</h1>
<p class="verdict"><strong>{{.Verdict}}</strong> {{.Summary}}</p>
{{with .Next}}<p><span class="key">Next</span> <code>{{.}}</code></p>{{end}}
</header>
<section>
<h2>Score</h2>
<div class="tiles">
<div class="tile"><span>of 100; amber counts half</span><b>{{.Score}}</b></div>
{{range .Tiles}}<div class="tile"><span>{{.Grade}}</span><b class="{{.Class}}">{{.Count}}</b></div>
{{end}}</div>
<p class="note">What could not be read is unknown, and unknown is not ready.</p>
</section>
{{range .Subjects}}<section>
<h2>{{.Name}} <span class="key">{{.Words}}</span></h2>
{{range .Checks}}<div class="check">
<p><b class="grade {{.Class}}">{{.Grade}}</b> {{.Title}}{{with .Resource}} <span class="key">{{.}}</span>{{end}}</p>
{{with .Why}}<p>{{.}}</p>
{{end}}{{with .Since}}<p class="note">{{.}}</p>
{{end}}{{with .Fix}}<p><span class="key">Fix</span> {{.}}</p>
{{end}}{{with .Command}}<p><span class="key">Type</span> <code>{{.}}</code></p>
{{end}}{{if .Proofs}}<details{{if .Open}} open{{end}}><summary>Evidence</summary>
<div class="scroll"><table class="events"><tbody>
{{range .Proofs}}<tr><td>{{.At}}</td><td>{{.Region}}</td><td>{{.Read}}</td></tr>
{{end}}</tbody></table></div></details>
{{else}}<p class="note">no evidence was kept</p>
{{end}}</div>
{{end}}</section>
{{end}}<details class="facts"><summary>About this proof</summary><dl>
{{range .Facts}}<dt>{{.Name}}</dt><dd>{{.Value}}</dd>
{{end}}</dl></details>
</article>` + pageFoot

package report

const estateTemplate = `{{define "estate"}}<section>
<h2>{{.Head}}</h2>
<div class="scroll"><table class="counts"><thead><tr><th>Area</th>{{range .Columns}}<th>{{.}}</th>{{end}}<th>all</th></tr></thead><tbody>
{{range .Areas}}<tr><td>{{.Name}}</td>{{range .Cells}}<td class="num">{{if .}}{{.}}{{end}}</td>{{end}}<td class="num">{{.Total}}</td></tr>
{{end}}</tbody></table></div>
</section>
{{if .Items}}<section>
<h2>The difference</h2>
<p class="note">+ is made, ~ is changed, ! needs people. What is in place is counted above only.</p>
{{range .Items}}<div class="item">
<p><b class="sign {{.Class}}">{{.Sign}}</b> <code>{{.ID}}</code> <span class="{{.Class}}">{{.Word}}</span>{{with .Resource}} <span class="key">for {{.}}</span>{{end}}</p>
{{$fresh := .Fresh}}{{if .Changes}}<ul class="changes">{{range .Changes}}<li><code>{{.Name}}</code> {{if not $fresh}}<del>{{.Have}}</del> → {{end}}<ins>{{.Want}}</ins></li>{{end}}</ul>
{{end}}{{with .Why}}<p class="note">{{.}}</p>
{{end}}</div>
{{end}}{{if .More}}<p class="note">and {{.More}} more items than a report holds</p>{{end}}
</section>
{{end}}{{if .Left}}<section>
<h2>Left for people</h2>
<ul>{{range .Left}}<li>{{.}}</li>{{end}}</ul>
</section>
{{end}}{{end}}
`

const registerTemplate = `{{define "register"}}<section>
<h2>Register of {{.Application}}</h2>
<p class="note">Objective is what is wanted, capability what the configuration can do at worst, measured what the last real moves took. None of them stands for another.</p>
<div class="scroll"><table class="register"><thead><tr><th>Resource</th><th></th><th>RTO</th><th>RPO</th></tr></thead>
{{range .Entries}}<tbody>
{{$e := .}}{{range $i, $v := .Values}}<tr>{{if not $i}}<td rowspan="{{len $e.Values}}"><b>{{$e.Name}}</b> <span class="key">{{$e.Kind}}, tier {{$e.Tier}}</span>{{range $e.Short}}<br><span class="bad">{{.}}</span>{{end}}<dl>{{range $e.Notes}}<dt>{{.Name}}</dt><dd>{{.Value}}</dd>{{end}}</dl></td>{{end}}<td class="key">{{$v.Name}}</td><td class="num">{{$v.RTO}}</td><td class="num">{{$v.RPO}}</td></tr>
{{end}}</tbody>
{{end}}</table></div>
<h3>In no plan</h3>
<p>{{.Uncovered}}</p>
{{if .Resources}}<ul>{{range .Resources}}<li><code>{{.}}</code></li>{{end}}</ul>
{{end}}<p class="note">{{range $i, $s := .Sources}}{{if $i}} · {{end}}{{$s}}{{end}}</p>
{{range .Remarks}}<p class="warn">{{.}}</p>
{{end}}</section>
{{end}}
`

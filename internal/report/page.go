package report

const pageTemplate = pageHead + `
{{template "run" .Head}}
{{with .Outside}}{{template "outside" .}}{{end}}
{{range .Then}}{{template "run" .}}{{end}}` + pageFoot

// pageHead and pageFoot frame every page: nothing in it may be fetched or run.
const pageHead = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="robots" content="noindex">
<title>{{.Title}}</title>
<style>` + style + `</style>
</head>
<body>
<main>`

const pageFoot = `
</main>
</body>
</html>
`

const runTemplate = `{{define "run"}}<article>
<header class="head {{.Tone}}">
<h1>{{.Title}}</h1>
<p class="verdict"><strong>{{.Report.Status}}</strong> {{.Report.Summary}}</p>
{{with .Report.Safe}}<p><span class="key">Safe now</span> {{.}}</p>{{end}}
{{with .Report.Next}}<p><span class="key">Next</span> <code>{{.}}</code></p>{{end}}
</header>
{{with .Clocks}}{{template "clocks" .}}{{end}}
{{with .Estate}}{{template "estate" .}}{{end}}{{with .Register}}{{template "register" .}}{{end}}{{template "timeline" .}}
{{template "people" .}}
<details class="facts"><summary>About this run</summary><dl>
{{range .Facts}}<dt>{{.Name}}</dt><dd>{{.Value}}</dd>
{{end}}</dl></details>
</article>
{{end}}

{{define "clocks"}}<section>
<h2>Clocks against the objective</h2>
<div class="tiles">
<div class="tile"><span>Measured by the run</span><b>{{.Measured}}</b><span class="state {{.State}}">{{.State}}</span></div>
<div class="tile"><span>Wanted (objective)</span><b>{{.Objective}}</b></div>
{{with .Predicted}}<div class="tile"><span>Predicted at worst (capability)</span><b>{{.}}</b></div>{{end}}
<div class="tile"><span>Unprotected so far</span><b>{{.Unprotected}}</b></div>
</div>
<div class="track tall" role="img" aria-label="{{range .Segments}}{{.Name}} {{.Took}}, {{end}}objective {{.Objective}}">
{{range .Segments}}<div class="bar {{.Class}}" style="left:{{.Bar.Left}}%;width:{{.Bar.Width}}%"></div>
{{end}}<div class="limit" style="left:{{.Limit}}%"></div>
</div>
<ul class="legend">{{range .Segments}}<li><i class="{{.Class}}"></i>{{.Name}} <b>{{.Took}}</b></li>{{end}}<li><i class="limitkey"></i>objective <b>{{.Objective}}</b></li></ul>
</section>
{{end}}
`

const timelineTemplate = `{{define "timeline"}}<section>
<h2>Timeline</h2>
<div class="gantt">
<div class="row axis"><div class="note">{{.Origin}}</div><div class="scale">{{range .Ticks}}<span style="left:{{.Left}}%">{{.Text}}</span>{{end}}</div></div>
{{if .Moment}}<div class="row axis"><div></div><div class="scale marks">{{range .Moment}}<span style="left:{{.Left}}%" title="{{.Text}}"></span>{{end}}</div></div>
{{end}}{{$ticks := .Ticks}}{{$moments := .Moment}}{{range .Rows}}<div class="row{{if .Stage}} stage{{end}}">
<div class="label"><b>{{.Name}}</b>{{if .OneWay}} <span class="oneway">no way back</span>{{end}}{{with .Where}} <span>{{.}}</span>{{end}} <span class="took">{{if .Took}}{{.Took}}{{else}}{{.State}}{{end}}{{if gt .Times 1}} ×{{.Times}}{{end}}</span></div>
<div class="track">{{range $ticks}}<div class="grid" style="left:{{.Left}}%"></div>{{end}}{{range $moments}}<div class="moment" style="left:{{.Left}}%"></div>{{end}}{{range .Bars}}<div class="bar {{.State}}" style="left:{{.Left}}%;width:{{.Width}}%"></div>{{end}}</div>
{{with .Detail}}<p class="detail">{{.}}</p>{{end}}</div>
{{end}}</div>
<ul class="legend"><li><i class="done"></i>done</li><li><i class="active"></i>going on</li><li><i class="failed"></i>failed</li><li><i class="skipped"></i>skipped</li><li><i class="undone"></i>undone</li>{{if .Moment}}<li><i class="momentkey"></i>{{range $i, $m := .Moment}}{{if $i}}, {{end}}{{$m.Text}}{{end}}</li>{{end}}</ul>
</section>
{{end}}
`

const peopleTemplate = `{{define "people"}}{{with .Report.Evidence}}<section>
<h2>Evidence</h2>
<p><strong>{{.Finding}}</strong>: {{.Why}}</p>
<div class="scroll"><table><thead><tr><th>Observer</th><th>Stands in</th><th>Region</th><th>Saw</th><th>Looks</th><th>Detail</th></tr></thead><tbody>
{{range .Sightings}}{{$s := .}}{{range $region, $v := .Regions}}<tr><td>{{$s.Observer}}</td><td>{{$s.Stands}}</td><td>{{$region}}</td><td class="{{if $v.Healthy}}good{{else}}bad{{end}}">{{if $v.Healthy}}healthy{{else}}down{{end}}</td><td>{{$v.Rounds}}</td><td>{{$v.Detail}}</td></tr>
{{end}}{{end}}</tbody></table></div>
</section>
{{end}}{{if .Report.Layers}}<section>
<h2>Fence: {{.Report.Fence}}</h2>
<div class="scroll"><table><thead><tr><th>Resource</th><th>Layer</th><th>Result</th><th>Read back</th></tr></thead><tbody>
{{range .Report.Layers}}<tr><td>{{.Resource}}</td><td>{{.Layer}}</td><td class="{{if eq .Result "CONFIRMED"}}good{{else}}warn{{end}}">{{.Result}}</td><td>{{.Evidence}}</td></tr>
{{end}}</tbody></table></div>
</section>
{{end}}{{if .Losses}}<section>
<h2>Data-loss windows</h2>
<p class="note">Measured right before the one-way step.</p>
<div class="scroll"><table><thead><tr><th>Resource</th><th>Window</th><th>Objective</th><th>Measured by</th></tr></thead><tbody>
{{range .Losses}}<tr><td>{{.Resource}}</td><td class="{{if .Exceeds}}bad{{else}}good{{end}}">{{.Window}}</td><td>{{.Objective}}</td><td>{{.Evidence}}</td></tr>
{{end}}</tbody></table></div>
</section>
{{end}}{{if .Votes}}<section>
<h2>Approvals</h2>
{{range .Votes}}<div class="ballot">
<h3>{{.Question}}</h3>
<p><span class="key">{{.Stage}}</span> <strong>{{.Result}}</strong>, {{.Quorum}} needed, {{.When}}{{if .Escalated}}, silence escalated {{.Escalated}}×{{end}}</p>
{{if .Risks}}<ul>{{range .Risks}}<li><code>{{.Code}}</code> {{.Text}}</li>{{end}}</ul>{{end}}
{{if .Decisions}}<ul class="votes">{{range .Decisions}}<li><b class="{{if .Approve}}good{{else}}bad{{end}}">{{.By}} {{.Verdict}}</b> at {{.At}} {{.Remark}}</li>{{end}}</ul>{{end}}
</div>
{{end}}</section>
{{end}}{{if .Served}}<section>
<h2>First served</h2>
<div class="scroll"><table><thead><tr><th>Location</th><th>Region</th><th>At</th><th></th></tr></thead><tbody>
{{range .Served}}<tr><td>{{.Location}}</td><td>{{.Region}}</td><td>{{.At}}</td><td>{{.Offset}}</td></tr>
{{end}}</tbody></table></div>
</section>
{{end}}{{if .Left}}<section>
<h2>Left for people</h2>
<ul>{{range .Left}}<li>{{.}}</li>{{end}}</ul>
</section>
{{end}}{{if .Events}}<section>
<h2>Events</h2>
<div class="scroll"><table class="events"><tbody>
{{range .Events}}<tr><td>{{.At}}</td><td>{{.Offset}}</td><td><span class="key">{{.Kind}}</span></td><td>{{.Text}}</td></tr>
{{end}}</tbody></table></div>
</section>
{{end}}{{end}}
`

const outsideTemplate = `{{define "outside"}}<article>
<section>
<h2>Seen from the outside</h2>
<p class="note">{{.Source}}{{with .Compression}} · {{.}}{{end}}{{with .Floor}} · fastest recovery that the configuration allows: {{.}}{{end}}</p>
{{if .Rows}}<ul class="legend">{{range .Legend}}<li><i class="{{.Class}}"></i>{{.Name}}</li>{{end}}</ul>
{{$marks := .Marks}}{{$ticks := .Ticks}}{{range .Rows}}<div class="traffic">
<div class="label"><b>{{.Location}}</b> <span>{{.Tally}}</span></div>
<div class="plot"><svg viewBox="0 0 {{.Count}} 100" preserveAspectRatio="none" role="img" aria-label="{{.Location}}: {{.Tally}}">
{{range .Columns}}{{$x := .X}}{{range .Parts}}<rect x="{{$x}}" y="{{.Y}}" width="1.02" height="{{.Height}}" class="{{.Class}}"/>{{end}}
{{end}}</svg>{{range $marks}}<div class="moment" style="left:{{.Left}}%"></div>{{end}}</div>
</div>
{{end}}<div class="scale">{{range .Ticks}}<span style="left:{{.Left}}%">{{.Text}}</span>{{end}}</div>
{{if .Marks}}<ol class="note">{{range .Marks}}<li>{{.Text}}</li>{{end}}</ol>{{end}}{{end}}
</section>
{{if .Numbers}}<section>
<h2>Measured</h2>
<div class="scroll"><table><thead><tr><th>Number</th><th>Value</th><th>Promised</th><th></th></tr></thead><tbody>
{{range .Numbers}}<tr><td>{{.Label}}<br><code>{{.Name}}</code></td><td class="num">{{.Shown}}</td><td>{{.Limit}}</td><td class="{{if eq .Verdict "held"}}good{{else}}bad{{end}}">{{.Verdict}}</td></tr>
{{end}}</tbody></table></div>
</section>
{{end}}{{if .Comparisons}}<section>
<h2>The run's own clocks against the outside</h2>
<div class="scroll"><table><thead><tr><th>Span</th><th>The run says</th><th>The outside says</th><th>Within {{with index .Comparisons 0}}{{.Tolerance}}{{end}}</th></tr></thead><tbody>
{{range .Comparisons}}<tr><td>{{.What}}</td><td class="num">{{.Own}}</td><td class="num">{{.Outside}}</td><td class="{{if .Agrees}}good{{else}}bad{{end}}">{{if .Agrees}}agrees{{else}}disagrees{{end}}</td></tr>
{{end}}</tbody></table></div>
</section>
{{end}}{{if .Kills}}<section>
<h2>Workers killed on purpose</h2>
<div class="scroll"><table><thead><tr><th>At</th><th>Worker</th><th>During</th><th>Cost</th></tr></thead><tbody>
{{range .Kills}}<tr><td>{{.At}}</td><td>{{.Worker}}</td><td>{{.During}}</td><td class="num">{{.Cost}}</td></tr>
{{end}}</tbody></table></div>
</section>
{{end}}</article>
{{end}}
`

package cloudwatch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/cloudwatch"

	"lifeline/local/aws/wire"
)

// evaluator computes queries of one request. Expressions are arithmetic over
// other queries (+ - * /, numbers, parentheses); functions such as SEARCH or
// FILL are refused rather than guessed.
type evaluator struct {
	c        *CloudWatch
	region   *regional
	queries  []*api.MetricDataQuery
	from, to time.Time
	depth    int
}

// points are a query's values by start of period.
func (e *evaluator) points(id string) (map[time.Time]float64, error) {
	e.depth++
	defer func() { e.depth-- }()
	if e.depth > len(e.queries) {
		return nil, wire.Errorf(400, "ValidationError", "The expressions of MetricDataQueries refer to each other in a circle at %s.", id)
	}
	for _, q := range e.queries {
		if *q.Id != id {
			continue
		}
		if q.MetricStat != nil {
			return e.metric(q.MetricStat), nil
		}
		tree, err := parser.ParseExpr(*q.Expression)
		if err != nil {
			return nil, unsupported(*q.Expression)
		}
		v, err := e.eval(tree)
		return v.points, err
	}
	return nil, wire.Errorf(400, "ValidationError", "Error in expression: the metric %s is not defined.", id)
}

func (e *evaluator) metric(m *api.MetricStat) map[time.Time]float64 {
	out := map[time.Time]float64{}
	id := metricID{
		namespace: aws.StringValue(m.Metric.Namespace), name: aws.StringValue(m.Metric.MetricName),
		dimensions: fromAPI(m.Metric.Dimensions),
	}
	s, ok := e.region.series[id.key()]
	if !ok {
		return out
	}
	period := e.c.period(*m.Period)
	for _, b := range s.buckets(e.from.Truncate(period), e.to, period, aws.StringValue(m.Unit)) {
		if v, ok := b.stat(*m.Stat); ok {
			out[b.start] = v
		}
	}
	return out
}

// value is a series or, when points is nil, a number.
type value struct {
	points map[time.Time]float64
	number float64
}

func (e *evaluator) eval(x ast.Expr) (value, error) {
	switch x := x.(type) {
	case *ast.ParenExpr:
		return e.eval(x.X)
	case *ast.BasicLit:
		n, err := strconv.ParseFloat(x.Value, 64)
		if err != nil {
			return value{}, unsupported(x.Value)
		}
		return value{number: n}, nil
	case *ast.Ident:
		p, err := e.points(x.Name)
		return value{points: p}, err
	case *ast.UnaryExpr:
		v, err := e.eval(x.X)
		if err != nil || x.Op != token.SUB {
			return v, err
		}
		return combine(token.MUL, value{number: -1}, v), nil
	case *ast.BinaryExpr:
		l, err := e.eval(x.X)
		if err != nil {
			return value{}, err
		}
		r, err := e.eval(x.Y)
		if err != nil {
			return value{}, err
		}
		if !arithmetic(x.Op) {
			return value{}, unsupported(x.Op.String())
		}
		return combine(x.Op, l, r), nil
	default:
		return value{}, unsupported("function or list")
	}
}

func arithmetic(op token.Token) bool {
	return op == token.ADD || op == token.SUB || op == token.MUL || op == token.QUO
}

// combine works point by point; a point that one side lacks, or that divides by
// zero, is left out as CloudWatch does.
func combine(op token.Token, l, r value) value {
	if l.points == nil && r.points == nil {
		return value{number: apply(op, l.number, r.number)}
	}
	out := value{points: map[time.Time]float64{}}
	times := l.points
	if times == nil {
		times = r.points
	}
	for at := range times {
		a, okA := l.at(at)
		b, okB := r.at(at)
		if v := apply(op, a, b); okA && okB && !math.IsNaN(v) && !math.IsInf(v, 0) {
			out.points[at] = v
		}
	}
	return out
}

func (v value) at(t time.Time) (float64, bool) {
	if v.points == nil {
		return v.number, true
	}
	n, ok := v.points[t]
	return n, ok
}

func apply(op token.Token, a, b float64) float64 {
	switch op {
	case token.ADD:
		return a + b
	case token.SUB:
		return a - b
	case token.MUL:
		return a * b
	default: // arithmetic let only four operators pass
		return a / b
	}
}

func unsupported(what string) *wire.Error {
	return wire.Errorf(400, "ValidationError", "Error in expression: %s is not supported.", what)
}

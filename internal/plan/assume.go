package plan

import "time"

// Assumptions are the times that no configuration fixes and AWS does not
// promise. Zero means Lifeline's default; a plan replaces them by what its
// drills measured.
type Assumptions struct {
	// CheckerLag is from the last failed check to the health check's new status
	// (default 6s).
	CheckerLag Duration `yaml:"checkerLag,omitempty" json:"checkerLag,omitempty"`
	// Propagation is from a health check's new status to changed DNS answers
	// everywhere (default 10s; AWS publishes no number).
	Propagation Duration `yaml:"propagation,omitempty" json:"propagation,omitempty"`
	// Orchestration is what the runbook does between evidence and switch: freeze,
	// pre-scale and fence, each bounded because they call a dark Region (default 5s).
	Orchestration Duration `yaml:"orchestration,omitempty" json:"orchestration,omitempty"`
	// SwitchInterval is how often Route 53 looks at an object of the s3-object
	// switch (default 10s).
	SwitchInterval Duration `yaml:"switchInterval,omitempty" json:"switchInterval,omitempty"`
	// PromotionTypical and PromotionWorst are how long an Aurora global database
	// takes to accept writes in another Region ("a few minutes"; default 2m and 5m).
	PromotionTypical Duration `yaml:"promotionTypical,omitempty" json:"promotionTypical,omitempty"`
	PromotionWorst   Duration `yaml:"promotionWorst,omitempty" json:"promotionWorst,omitempty"`
	// TableLag, DatabaseLag and ObjectLag are the usual replication lag of
	// DynamoDB, Aurora and S3 (default 1s, 1s and 15m). None is guaranteed.
	TableLag    Duration `yaml:"tableLag,omitempty" json:"tableLag,omitempty"`
	DatabaseLag Duration `yaml:"databaseLag,omitempty" json:"databaseLag,omitempty"`
	ObjectLag   Duration `yaml:"objectLag,omitempty" json:"objectLag,omitempty"`
}

// DefaultAssumptions are those of a plan that makes none of its own.
func DefaultAssumptions() Assumptions {
	return Assumptions{
		CheckerLag:       Duration(6 * time.Second),
		Propagation:      Duration(10 * time.Second),
		Orchestration:    Duration(5 * time.Second),
		SwitchInterval:   Duration(10 * time.Second),
		PromotionTypical: Duration(2 * time.Minute),
		PromotionWorst:   Duration(5 * time.Minute),
		TableLag:         Duration(time.Second),
		DatabaseLag:      Duration(time.Second),
		ObjectLag:        Duration(15 * time.Minute),
	}
}

// Assumed are the plan's assumptions, with the defaults for those it leaves out.
func (p Plan) Assumed() Assumptions {
	a := DefaultAssumptions()
	if p.Assumptions == nil {
		return a
	}
	given := *p.Assumptions
	for _, pair := range [][2]*Duration{
		{&a.CheckerLag, &given.CheckerLag},
		{&a.Propagation, &given.Propagation},
		{&a.Orchestration, &given.Orchestration},
		{&a.SwitchInterval, &given.SwitchInterval},
		{&a.PromotionTypical, &given.PromotionTypical},
		{&a.PromotionWorst, &given.PromotionWorst},
		{&a.TableLag, &given.TableLag},
		{&a.DatabaseLag, &given.DatabaseLag},
		{&a.ObjectLag, &given.ObjectLag},
	} {
		if *pair[1] > 0 {
			*pair[0] = *pair[1]
		}
	}
	return a
}

func (c *checker) assumptions() {
	if c.plan.Assumptions == nil {
		return
	}
	a := c.plan.Assumed()
	if i := a.SwitchInterval.D(); i != 10*time.Second && i != 30*time.Second {
		c.errorf("assumptions.switchInterval", "", "Route 53 checks every 10s or every 30s, not every %s", brief(i))
	}
	if a.PromotionTypical > a.PromotionWorst {
		c.errorf("assumptions.promotionTypical", "", "typical (%s) is longer than worst (%s)", brief(a.PromotionTypical.D()), brief(a.PromotionWorst.D()))
	}
}

// Package templates judges the product's CloudFormation templates: against what
// AWS publishes, and by deploying them into the simulated AWS (in its tests). What
// AWS publishes are the provider schemas of resource types, as the module of AWS's
// own tool Rain carries them; they are read as data, and no code of that module is
// built.
//
// It owns the rules: types, properties, required members, scalars, lists,
// enumerations, patterns, attributes of GetAtt, what is declared and never used,
// and this house's rules for what operators deploy (constrained parameters,
// described outputs, no wildcards in IAM actions, keys that outlive their stack).
// It does not own the grammar, which is lifeline/local/aws/cloudformation/template.
//
// It fails with every problem at once, each with line and column. What it can't
// know, such as the value of an import, it takes for right.
package templates

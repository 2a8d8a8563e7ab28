package ticket

import (
	"encoding/json"
	"fmt"

	"hotline/internal/category"
	"hotline/internal/fault"
	"hotline/internal/policy"
)

// RegisterPolicies tells the store about the versioned data of this room, with
// the embedded defaults and the checks of publication.
func RegisterPolicies(p *policy.Store) {
	p.Register(PolicyRules, policy.Kind{Label: "流转规则", Default: DefaultRules, Validate: validateRules})
	p.Register(PolicyLimits, policy.Kind{Label: "办理时限", Default: func() []byte { return []byte(mustJSON(category.Limits())) }, Validate: ValidateLimits, Diff: category.DiffLimits})
	p.Register(PolicyCategories, policy.Kind{Label: "事项分类", Default: func() []byte { return []byte(mustJSON(category.Default())) }, Validate: validateCategories})
	p.Register(PolicyCalendar, policy.Kind{Label: "工作日历", Default: func() []byte { return []byte(`{"version":"","years":{}}`) }, Validate: validateCalendar})
}

// ValidateLimits checks rows and, for a city, that each is no looser than the
// province's: 省定市可收紧不可放宽.
func ValidateLimits(doc, parent []byte) error {
	var rows, above []category.LimitRow
	if err := json.Unmarshal(doc, &rows); err != nil {
		return fault.Invalid("limit_invalid", "时限不是有效的 JSON。").Because(err)
	}
	if err := category.CheckLimits(rows); err != nil {
		return err
	}
	if parent == nil {
		return nil
	}
	if err := json.Unmarshal(parent, &above); err != nil {
		return err
	}
	var wrong []fault.Field
	told := map[string]bool{}
	// Every case that a ticket can be is held against the province's: a row may
	// be strict by itself and yet stand before a stricter one.
	for _, key := range append([]string{""}, category.LimitKeys()...) {
		for _, typ := range append([]string{""}, Types...) {
			for _, urgency := range append([]string{""}, category.Urgencies...) {
				for _, kind := range category.LimitKinds {
					p, set := category.FindLimit(above, key, typ, urgency, kind)
					r, ok := category.FindLimit(rows, key, typ, urgency, kind)
					if !set || !ok || r.Limit().Within(p.Limit()) || told[p.Name()+r.Name()] {
						continue
					}
					told[p.Name()+r.Name()] = true
					detail := fmt.Sprintf("省定为%s，市州定为%s，只能收紧不能放宽。", p.Limit(), r.Limit())
					if p.Name() != r.Name() {
						detail = fmt.Sprintf("省定“%s”为%s，市州用“%s”的%s，只能收紧不能放宽。", p.Name(), p.Limit(), r.Name(), r.Limit())
					}
					wrong = append(wrong, fault.Field{Name: r.Name(), Detail: detail})
				}
			}
		}
	}
	if len(wrong) > 0 {
		return fault.Invalid("limit_loosened", "有%d处时限比省定的宽，第一处：%s", len(wrong), wrong[0].Detail).At(wrong...)
	}
	return nil
}

func validateCategories(doc, _ []byte) error {
	_, err := category.ParseJSON(doc)
	return err
}

func validateCalendar(doc, _ []byte) error {
	if _, err := ParseCalendar(doc); err != nil {
		return fault.Invalid("calendar_invalid", "工作日历不能采用，请检查每行的格式。").Because(err)
	}
	return nil
}

func validateRules(doc, _ []byte) error {
	if _, err := ParseRules(doc); err != nil {
		return fault.Invalid("rules_invalid", "规则表不能采用：有未知的状态、检查、输入项或操作。").Because(err)
	}
	return nil
}

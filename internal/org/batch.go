package org

import "hotline/internal/fault"

// batch gathers new units, so that a later one may hang below an earlier one
// by code before either has been stored.
type batch struct {
	t      *Tree
	newID  func() int64
	rows   []row
	byCode map[string]Unit
}

func newBatch(t *Tree, newID func() int64) *batch {
	return &batch{t: t, newID: newID, byCode: map[string]Unit{}}
}

// add judges a new unit against the tree and the batch and takes it in.
func (b *batch) add(by By, n NewUnit, now int64) error {
	if err := n.check(); err != nil {
		return err
	}
	if err := notBackdated(by, n.From, now); err != nil {
		return err
	}
	if _, ok := b.byCode[n.Code]; ok {
		return codeTaken(n.Code)
	}
	if u, ok := b.t.ByCode(n.Code); ok && u.Active {
		return codeTaken(n.Code)
	}
	parent := b.parent(&n)
	if n.Parent == 0 && n.ParentCode != "" && parent == nil {
		return bad("unit_parent_absent", "parent", "上级单位“%s”不存在或已停用。", n.ParentCode)
	}
	if err := place(n.Kind, n.Region, parent); err != nil {
		return err
	}
	if n.Kind == KindProvince && (b.t.province >= 0 || b.hasProvince()) {
		return fault.Conflict("unit_province_exists", "省级平台已经存在，不能重复设立。")
	}
	r := row{id: b.newID(), from: moment(n.From, now), code: n.Code, name: n.Name, short: n.Short, kind: n.Kind,
		region: n.Region, duty: n.Duty, duties: n.Duties, responsibilities: n.Responsibilities, phone: n.Phone, contact: n.Contact}
	if parent != nil {
		r.parent = parent.ID
	}
	b.rows = append(b.rows, r)
	b.byCode[n.Code] = r.unit(true)
	return nil
}

func (b *batch) parent(n *NewUnit) *Unit {
	if n.Parent != 0 {
		if u, ok := b.t.Get(n.Parent); ok && u.Active {
			return &u
		}
		return nil
	}
	if u, ok := b.byCode[n.ParentCode]; ok {
		return &u
	}
	if u, ok := b.t.ByCode(n.ParentCode); ok && u.Active {
		return &u
	}
	return nil
}

func (b *batch) hasProvince() bool {
	for _, u := range b.byCode {
		if u.Kind == KindProvince {
			return true
		}
	}
	return false
}

func codeTaken(code string) error {
	e := fault.Conflict("unit_code_taken", "单位编码“%s”已被使用，请换一个编码。", code)
	return e.At(fault.Field{Name: "code", Detail: e.Detail})
}

// Build makes a tree of units without a database, with ids 1, 2, 3… in the
// order given; for tests and for looking at a plan before it is imported.
func Build(units []NewUnit) (*Tree, error) {
	var id int64
	ini := &initialsCache{}
	b := newBatch(buildTree(nil, 0, ini), func() int64 { id++; return id })
	for _, n := range units {
		if err := b.add(By{}, n, 1); err != nil {
			return nil, err
		}
	}
	rows := make(map[rowKey]row, len(b.rows))
	for _, r := range b.rows {
		rows[rowKey{r.id, r.from}] = r
	}
	return buildTree(rows, 1, ini), nil
}

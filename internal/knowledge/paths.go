package knowledge

import (
	"context"
	"strconv"
	"strings"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/knowledge/seed"
)

// Directory (目录) is a directory with how many articles lie in it and below it.
type Directory struct {
	Path     string       `json:"path"`
	Name     string       `json:"name"`
	Count    int64        `json:"count"`
	Children []*Directory `json:"children"`
}

// Catalogue is the directories and the sizes of the states, as one actor sees them.
type Catalogue struct {
	Nodes     []*Directory
	States    map[State]int64
	MayCreate bool
}

// Paths counts the articles that List shows the actor, by directory and by
// state. All fields of business are there, also empty ones, in their order.
func (s *Service) Paths(ctx context.Context, actor access.Actor) (Catalogue, error) {
	c := Catalogue{States: map[State]int64{}, MayCreate: actor.May(access.KBEdit)}
	type row struct {
		path string
		n    int64
	}
	var rows []row
	err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
		today := day(tx.Now())
		v := s.view(actor)
		v.state("", today)
		if rows, err = db.All(tx, func(r db.Scanner) (x row, err error) { return x, r.Scan(&x.path, &x.n) },
			`SELECT path, count(*) FROM `+v.from+` WHERE `+strings.Join(v.where, " AND ")+` GROUP BY path ORDER BY path`, v.args...); err != nil {
			return err
		}
		for _, st := range States() {
			v := s.view(actor)
			v.state(st, today)
			if c.States[st], err = db.Int(tx, `SELECT count(*) FROM `+v.from+` WHERE `+strings.Join(v.where, " AND "), v.args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return c, err
	}
	known := map[string]*Directory{}
	for _, root := range seed.Roots {
		c.Nodes = append(c.Nodes, &Directory{Path: root, Name: root, Children: []*Directory{}})
		known[root] = c.Nodes[len(c.Nodes)-1]
	}
	for _, r := range rows {
		for n := c.at(known, r.path); n != nil; n = known[parent(n.Path)] {
			n.Count += r.n
		}
	}
	return c, nil
}

// at finds or makes the node of a path.
func (c *Catalogue) at(known map[string]*Directory, path string) *Directory {
	if n := known[path]; n != nil {
		return n
	}
	n := &Directory{Path: path, Name: path[strings.LastIndexByte(path, '/')+1:], Children: []*Directory{}}
	known[path] = n
	if up := parent(path); up == "" {
		c.Nodes = append(c.Nodes, n)
	} else {
		above := c.at(known, up)
		above.Children = append(above.Children, n)
	}
	return n
}

func parent(path string) string {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return ""
	}
	return path[:i]
}

// Hot lists what citizens need most: public, published, in force, the most
// cited and read first, then the newest.
func (s *Service) Hot(ctx context.Context, n int) ([]*Article, error) {
	return s.offered(ctx, n, ` AND l.public = 1 ORDER BY 3 * coalesce(u.cited, 0) + coalesce(u.views, 0) DESC, l.at DESC, l.article DESC`)
}

// Expiring lists the published articles that end within 30 days, the next first.
func (s *Service) Expiring(ctx context.Context, n int) (out []*Article, err error) {
	return s.offered(ctx, n, ` AND l.valid_to BETWEEN $1 AND `+strconv.FormatInt(soon(day(s.DB.Clock().Now())), 10)+` ORDER BY l.valid_to, l.article`)
}

func (s *Service) offered(ctx context.Context, n int, tail string) (out []*Article, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = db.All(tx, scanArticle, selectLive+` WHERE l.gone = 0 AND l.valid_from <= $1 AND (l.valid_to = 0 OR l.valid_to >= $1)`+tail+` LIMIT `+strconv.Itoa(max(n, 0)), day(tx.Now()))
		return err
	})
	return out, err
}

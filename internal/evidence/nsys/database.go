package nsys

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver, without cgo

	"github.com/inferdx/inferdx/internal/evidence/kernels"
)

// The tables that are read, of schema 3 (releases 2021 to 2026.4). They are created lazily: any may be missing.
const (
	kernelTable  = "CUPTI_ACTIVITY_KIND_KERNEL"
	memcpyTable  = "CUPTI_ACTIVITY_KIND_MEMCPY"
	memsetTable  = "CUPTI_ACTIVITY_KIND_MEMSET"
	graphTable   = "CUPTI_ACTIVITY_KIND_GRAPH_TRACE"
	runtimeTable = "CUPTI_ACTIVITY_KIND_RUNTIME"
	nvtxTable    = "NVTX_EVENTS"
	gpuTable     = "TARGET_INFO_GPU"
	stringTable  = "StringIds"
)

// database is an export that is open for reading.
type database struct {
	ctx     context.Context
	db      *sql.DB
	columns map[string]map[string]bool // of the real tables; a view could run for ever
	strings map[int64]string
	notes   []string
}

func open(ctx context.Context, path string) (*database, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// immutable: no journal is looked for and nothing is written beside the file. A schema from elsewhere is not trusted.
	q := url.Values{"mode": {"ro"}, "immutable": {"1"}, "_pragma": {"trusted_schema(0)", "query_only(1)", "cell_size_check(1)", "cache_size(-16000)", "temp_store(1)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	d := &database{ctx: ctx, db: db, columns: map[string]map[string]bool{}, strings: map[int64]string{}}
	if err := d.schema(); err != nil {
		d.close()
		return nil, fmt.Errorf("read the schema: %w%s", err, hint)
	}
	return d, nil
}

func (d *database) close() { _ = d.db.Close() }

// schema learns which of the tables are there, with their columns.
func (d *database) schema() error {
	const q = `SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c
		WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND m.name IN (?, ?, ?, ?, ?, ?, ?, ?)`
	return d.each(q, func(row *sql.Rows) error {
		var table, column string
		if err := row.Scan(&table, &column); err != nil {
			return err
		}
		if d.columns[table] == nil {
			d.columns[table] = map[string]bool{}
		}
		d.columns[table][column] = true
		return nil
	}, kernelTable, memcpyTable, memsetTable, graphTable, runtimeTable, nvtxTable, gpuTable, stringTable)
}

// has says whether a table is there with all of the columns.
func (d *database) has(table string, columns ...string) bool {
	for _, c := range columns {
		if !d.columns[table][c] {
			return false
		}
	}
	return d.columns[table] != nil
}

// or gives the column, or a constant where an older export does not have it.
func (d *database) or(table, column, constant string) string {
	if d.has(table, column) {
		return column
	}
	return constant
}

func (d *database) each(query string, f func(*sql.Rows) error, args ...any) error {
	rows, err := d.db.QueryContext(d.ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

var errNoKernels = errors.New("no kernel was recorded\nhint: profile with `nsys profile --trace=cuda,nvtx --cuda-graph-trace=node`, around the process that runs the model")

// profile asks for everything. What fails after the kernels were read is a note.
func (d *database) profile() (*Profile, error) {
	if !d.has(kernelTable, "start", "end") && !d.has(graphTable, "start", "end") {
		if len(d.columns) == 0 {
			return nil, fmt.Errorf("%w: the database has none of its tables%s", ErrUnrecognised, hint)
		}
		return nil, errNoKernels
	}
	p := &Profile{From: "sqlite"}
	a, err := d.activity()
	if err != nil && len(a.lines) == 0 {
		return nil, d.explain(err)
	}
	if len(a.lines) == 0 {
		return nil, errNoKernels
	}
	d.note("the GPU's activity", err)
	d.note("the kernels' names", d.sum(p, a))
	p.Timeline = a.timeline()
	calls, err := d.calls()
	d.note("the API calls", err)
	p.Calls = calls
	p.Ranges, err = d.ranges()
	d.note("the annotations", err)
	d.note("the GPU's name", d.gpu(p))
	if t := p.Timeline; t.Graphs > 0 {
		d.notes = append(d.notes, fmt.Sprintf("%d graphs were recorded as a whole, their kernels are not seen: profile with --cuda-graph-trace=node to see them", t.Graphs))
	}
	p.Notes = d.notes
	return p, nil
}

// note keeps a fault that leaves the rest standing.
func (d *database) note(what string, err error) {
	if err != nil {
		d.notes = append(d.notes, fmt.Sprintf("%s could not be read to the end: %v", what, err))
	}
}

func (d *database) explain(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the database took more than %v to read\nhint: profile a shorter time", patience)
	}
	return fmt.Errorf("%w%s", err, hint)
}

// activity goes through everything that ran on the GPUs, in order of time.
func (d *database) activity() (*activity, error) {
	a := newActivity()
	var parts []string
	part := func(table, name, graph, kind string) {
		if d.has(table, "start", "end") {
			parts = append(parts, fmt.Sprintf(`SELECT start, "end", %s, %s, %s, %s, %s FROM %s`,
				d.or(table, "deviceId", "0"), d.or(table, "globalPid", "0"), name, graph, kind, table))
		}
	}
	name := d.or(kernelTable, "demangledName", d.or(kernelTable, "shortName", "0"))
	part(kernelTable, name, fmt.Sprintf("coalesce(%s, 0) <> 0", d.or(kernelTable, "graphNodeId", "0")), "0")
	part(memcpyTable, d.or(memcpyTable, "copyKind", "0"), "0", "1")
	part(memsetTable, "0", "0", "2")
	part(graphTable, "0", "0", "3")
	err := d.each(strings.Join(parts, " UNION ALL ")+" ORDER BY 1", func(row *sql.Rows) error {
		var start, end, device, pid, name, graph, kind sql.NullInt64
		if err := row.Scan(&start, &end, &device, &pid, &name, &graph, &kind); err != nil {
			return err
		}
		if start.Valid && end.Valid && end.Int64 >= start.Int64 && end.Int64-start.Int64 < longest {
			a.add(event{start.Int64, end.Int64, line{pid.Int64, device.Int64}, name.Int64, graph.Int64 != 0, kindOf(kind.Int64)})
		}
		return nil
	})
	return a, err
}

// longest is a day: no kernel runs as long, and sums of such times do not overflow.
const longest = 86400 * 1e9

// text looks a string up, cut to what is shown.
func (d *database) text(id int64) (string, error) {
	if s, ok := d.strings[id]; ok || !d.has(stringTable, "id", "value") {
		return s, nil
	}
	var s sql.NullString
	err := d.db.QueryRowContext(d.ctx, "SELECT substr(value, 1, 4000) FROM StringIds WHERE id = ?", id).Scan(&s)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	d.strings[id] = s.String
	return s.String, err
}

// sum names the kernels and adds their times up by class.
func (d *database) sum(p *Profile, a *activity) error {
	s := newSums()
	for id, t := range a.kernels {
		name, err := d.text(id)
		if err != nil {
			return err
		}
		if name == "" {
			name = "(kernel without a name)"
		}
		s.add(name, kernels.ClassOf(name), t)
	}
	for kind, t := range a.copies {
		s.add(copyName(kind), kernels.Copy, t)
	}
	s.into(p)
	for _, t := range a.kernels {
		p.Kernels += t.count
		p.KernelSeconds += t.seconds()
	}
	return nil
}

// copyName is a copy's name by its kind, as CUPTI numbers them.
func copyName(kind int64) string {
	names := map[int64]string{-1: "memset", 1: "memcpy host to device", 2: "memcpy device to host", 8: "memcpy device to device", 10: "memcpy peer to peer"}
	if n, ok := names[kind]; ok {
		return n
	}
	return "memcpy of another kind"
}

// calls sums up the API calls by name.
func (d *database) calls() (*Calls, error) {
	if !d.has(runtimeTable, "start", "end", "nameId") || !d.has(stringTable, "id", "value") {
		return nil, nil
	}
	c := &Calls{}
	const q = `SELECT substr(s.value, 1, 200), n, ns FROM
		(SELECT nameId, count(*) AS n, total("end" - start) AS ns FROM CUPTI_ACTIVITY_KIND_RUNTIME WHERE "end" >= start GROUP BY nameId)
		LEFT JOIN StringIds AS s ON s.id = nameId`
	err := d.each(q, func(row *sql.Rows) error {
		var name sql.NullString
		var count int
		var ns float64
		if err := row.Scan(&name, &count, &ns); err != nil {
			return err
		}
		c.add(name.String, count, ns/1e9)
		return nil
	})
	return c, err
}

// ranges are the longest annotations: ranges of a thread (event type 59) and those between two threads (60).
func (d *database) ranges() ([]Group, error) {
	if !d.has(nvtxTable, "start", "end") {
		return nil, nil
	}
	text, join := d.or(nvtxTable, "text", "NULL"), ""
	if d.has(nvtxTable, "textId") && d.has(stringTable, "id", "value") {
		text, join = fmt.Sprintf("coalesce(%s, s.value)", text), "LEFT JOIN StringIds AS s ON s.id = textId"
	}
	where := `"end" > start`
	if d.has(nvtxTable, "eventType") {
		where += " AND eventType IN (59, 60)"
	}
	q := fmt.Sprintf(`SELECT substr(%s, 1, 200) AS name, count(*), total("end" - start) AS ns FROM NVTX_EVENTS %s WHERE %s GROUP BY name ORDER BY ns DESC, name LIMIT %d`,
		text, join, where, topRows)
	var out []Group
	err := d.each(q, func(row *sql.Rows) error {
		var name sql.NullString
		var count int
		var ns float64
		if err := row.Scan(&name, &count, &ns); err != nil {
			return err
		}
		if name.String != "" {
			out = append(out, Group{Name: name.String, Count: count, Seconds: ns / 1e9})
		}
		return nil
	})
	return out, err
}

// gpu names the GPU; several of one model are one name.
func (d *database) gpu(p *Profile) error {
	if !d.has(gpuTable, "name") {
		return nil
	}
	var names []string
	err := d.each(`SELECT DISTINCT substr(name, 1, 64) FROM TARGET_INFO_GPU WHERE name IS NOT NULL ORDER BY 1 LIMIT 8`, func(row *sql.Rows) error {
		var name string
		err := row.Scan(&name)
		names = append(names, name)
		return err
	})
	p.GPU = strings.Join(names, ", ")
	return err
}

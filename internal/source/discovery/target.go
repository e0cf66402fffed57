package discovery

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/internal/source/scrape"
)

// target makes a target of what was discovered, by the job's relabelling; false where that drops it.
func (j *job) target(own, group common.LabelSet) (scrape.Target, bool, error) {
	b := labels.NewBuilder(labels.EmptyLabels())
	set := func(name, value string) {
		if b.Get(name) == "" && value != "" {
			b.Set(name, value)
		}
	}
	for _, ls := range []common.LabelSet{own, group} {
		for name, v := range ls {
			set(string(name), string(v))
		}
	}
	set(common.JobLabel, j.JobName)
	set(common.ScrapeIntervalLabel, interval(j.ScrapeInterval))
	set(common.ScrapeTimeoutLabel, interval(j.ScrapeTimeout))
	set(common.MetricsPathLabel, j.MetricsPath)
	set(common.SchemeLabel, j.Scheme)
	for name, vs := range j.Params {
		if len(vs) > 0 {
			set(common.ParamLabelPrefix+name, vs[0])
		}
	}
	found := b.Labels()
	var steps []*relabel.Config
	for _, r := range j.RelabelConfigs {
		steps = append(steps, r.Config())
	}
	if !relabel.ProcessBuilder(b, steps...) {
		return scrape.Target{}, false, nil
	}
	return j.build(b.Labels(), found)
}

// build reads the target's address and times from its labels, as relabelling left them.
func (j *job) build(ls, found labels.Labels) (scrape.Target, bool, error) {
	address := ls.Get(common.AddressLabel)
	if address == "" || strings.ContainsAny(address, "/ \t\n") {
		return scrape.Target{}, false, fmt.Errorf("%q is no address to scrape, as host:port", address)
	}
	every, err := common.ParseDuration(ls.Get(common.ScrapeIntervalLabel))
	if err != nil || every == 0 {
		return scrape.Target{}, false, fmt.Errorf("%s: the label %s is %q", address, common.ScrapeIntervalLabel, ls.Get(common.ScrapeIntervalLabel))
	}
	timeout, err := common.ParseDuration(ls.Get(common.ScrapeTimeoutLabel))
	if err != nil || timeout == 0 || timeout > every {
		return scrape.Target{}, false, fmt.Errorf("%s: the label %s is %q, which has to be above 0 and not longer than the interval of %s", address, common.ScrapeTimeoutLabel, ls.Get(common.ScrapeTimeoutLabel), every)
	}
	t := scrape.Target{
		Job: ls.Get(common.JobLabel), URL: j.url(ls, address), Meta: map[string]string{},
		Interval: time.Duration(every), Timeout: time.Duration(timeout),
		HonorLabels: j.HonorLabels, HonorTimestamps: *j.HonorTimestamps, BodyLimit: int64(j.BodySizeLimit), SampleLimit: int(j.SampleLimit), //nolint:gosec // a limit
		Client: j.client,
	}
	for _, r := range j.MetricRelabelConfigs {
		t.Relabel = append(t.Relabel, r.Config())
	}
	ls.Range(func(l labels.Label) {
		if !strings.HasPrefix(l.Name, "__") && l.Value != "" {
			t.Labels = append(t.Labels, model.Label{Name: l.Name, Value: l.Value})
		}
	})
	if t.Labels.Get("instance") == "" {
		t.Labels = append(t.Labels, model.Label{Name: "instance", Value: address})
	}
	t.Labels.Sort()
	found.Range(func(l labels.Label) {
		if strings.HasPrefix(l.Name, "__") {
			t.Meta[l.Name] = l.Value
		}
	})
	return t, true, nil
}

func (j *job) url(ls labels.Labels, address string) *url.URL {
	query := url.Values{}
	for name, vs := range j.Params {
		query[name] = append([]string(nil), vs...)
	}
	ls.Range(func(l labels.Label) {
		if name, ok := strings.CutPrefix(l.Name, common.ParamLabelPrefix); ok {
			if len(query[name]) > 0 {
				query[name][0] = l.Value
			} else {
				query[name] = []string{l.Value}
			}
		}
	})
	path, raw, _ := strings.Cut(ls.Get(common.MetricsPathLabel), "?")
	u := &url.URL{Scheme: ls.Get(common.SchemeLabel), Host: address, Path: path, RawQuery: query.Encode()}
	if raw != "" {
		u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+raw, "&")
	}
	return u
}

// bareJob is the job of pages of which only the address is given.
const bareJob = "inferdx"

// bare are the targets of `urls`: nothing but pages.
func (d *Discovery) bare(c *config.Config) ([]scrape.Target, error) {
	if len(c.URLs) == 0 {
		return nil, nil
	}
	if d.plain == nil {
		client, err := httpclient.New(httpclient.Options{})
		if err != nil {
			return nil, err
		}
		d.plain = client
	}
	var out []scrape.Target
	taken := map[string]bool{}
	for _, p := range c.URLs {
		u, err := scrape.Normalize(string(p))
		if err != nil {
			return nil, err
		}
		instance := net.JoinHostPort(u.Hostname(), httpclient.Port(u))
		if taken[instance] { // two pages of one server
			instance += u.Path
		}
		taken[instance] = true
		out = append(out, scrape.Target{
			Job: bareJob, URL: u, Labels: model.LabelsFrom(map[string]string{"job": bareJob, "instance": instance}),
			Interval: time.Duration(c.Global.ScrapeInterval), Timeout: time.Duration(c.Global.ScrapeTimeout),
			HonorTimestamps: true, Client: d.plain,
		})
	}
	return out, nil
}

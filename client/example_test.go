package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/crownsafe/api/client"
)

// asServer answers the examples of the OpenAPI document; see export_test.go.
func asServer() (*httptest.Server, *client.Client) {
	server := httptest.NewServer(client.ContractServer())
	c, err := client.New(client.Options{BaseURL: server.URL})
	if err != nil {
		log.Fatal(err)
	}
	return server, c
}

func Example() {
	server, c := asServer()
	defer server.Close()
	v, err := c.Verdict(context.Background(), client.Unit{Brand: "FUNTOK", Name: "24V two-seater ride-on truck", Model: "DLS-K03"})
	if err != nil {
		log.Fatal(err) // nobody knows anything about the unit
	}
	switch v.Outcome {
	case client.Affected, client.NeedCode:
		fmt.Println(v.Outcome, "-", v.Advice)
		for _, m := range v.Matches {
			fmt.Println(m.Recall.ID, m.MatchedOn)
		}
	case client.NotAffected, client.NoMatch, client.CannotTell:
		fmt.Println(v.Outcome, "- not known to be recalled, which is not the same as safe")
	}
	// Output:
	// affected - Stop using it and keep it away from children. The recall offers: a refund. How to go about it: https://www.cpsc.gov/Recalls/2026/FUNTOK-Ride-On-Trucks-Recalled-Due-to-Fire-and-Burn-Hazards-Risk-of-Serious-Injury-or-Death-Imported-by-Shenzhen-Luobei-Trading
	// us-cpsc:26-348 [brand name model]
}

// A code that was misread is refused, with what could have been meant.
func ExampleProblem() {
	err := error(&client.Problem{Status: 422, Code: "check_digit", Detail: "one digit is misread", Suggestions: []string{"3555801358876"}})
	if p, ok := errors.AsType[*client.Problem](err); ok && p.Code == "check_digit" {
		fmt.Println("Was it", p.Suggestions[0]+"?")
	}
	// Output: Was it 3555801358876?
}

func ExampleClient_Recalls() {
	server, c := asServer()
	defer server.Close()
	for r, err := range c.Recalls(context.Background(), client.Search{Q: "ride-on truck fire", Audience: []string{"child"}}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.ID, r.Title)
		break // the pages after this one aren't asked for
	}
	// Output: us-cpsc:25-235 Huffy 12-volt ride-on Tonka dump trucks: fire and burn hazards
}

func ExampleClient_Batch() {
	server, c := asServer()
	defer server.Close()
	answers, err := c.Batch(context.Background(), []client.Unit{{GTIN: "850044968008"}, {GTIN: "850044968009"}})
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range answers {
		if a.Err != nil {
			fmt.Println("ask again:", a.Err)
			continue
		}
		fmt.Println(a.Verdict.Outcome)
	}
	// Output:
	// affected
	// ask again: crownsafe: check_digit (422): gtin: the check digit of "850044968009" is 9, and the digits before it call for 8: one of them is misread or mistyped
}

func ExampleVerdict_Conclusive() {
	v := client.Verdict{Outcome: client.NotAffected, Coverage: []client.Coverage{{Agency: "us-cpsc", State: "ok"}, {Agency: "us-fda", State: "stale"}}}
	fmt.Println(v.Conclusive(), v.Conclusive("us-cpsc"))
	for _, c := range v.Blind() {
		fmt.Println("not sure of", c.Agency)
	}
	// Output:
	// false true
	// not sure of us-fda
}

export const sampleData = [
  {
    "@id": "http://data.food.gov.uk/food-alerts/id/FSA-AA-92-2018",
    alertURL: "https://alerts.example/FSA-AA-92-2018",
    created: "2018-05-02",
    modified: "2018-05-03T10:00:00.000Z",
    notation: "FSA-AA-92-2018",
    problem: [
      {
        allergen: [{ label: "Nuts", },],
        riskStatement:
          "Nuts: a \"trace\", {maybe} more,]\nThis product contains nuts.",
      },
    ],
    productDetails: [{ productName: "Corvane Fig Roll" }],
    reportingBusiness: { commonName: "Corvane" },
    status: { label: "Published" },
    title: "Corvane recalls Fig Roll because of undeclared nuts",
    type: ["http://data.food.gov.uk/food-alerts/def/AA"],
    final: true,
  },
];

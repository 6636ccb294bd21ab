// The tutor's language model calls `ask_question`; the page shows the card, waits for the click, and returns what was
// chosen. The model goes on from there, aloud.
const tutor = document.getElementById("tutor");
const card = document.getElementById("card");
const score = { asked: 0, right: 0 };

const place = (id) => document.getElementById(id);

/** Show a question -> a promise of the choice. */
function ask({ question, choices, answer }) {
  score.asked += 1;
  place("question").textContent = question;
  place("verdict").textContent = "";
  card.dataset.open = "";
  return new Promise((resolve) => {
    const buttons = choices.map((choice) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = choice;
      button.addEventListener("click", () => resolve(settle(button, buttons, answer)));
      return button;
    });
    place("choices").replaceChildren(...buttons);
    buttons[0].focus();
  });
}

/** Show whether the choice was right, and say so to the model. */
function settle(button, buttons, answer) {
  const chosen = button.textContent;
  const right = chosen === answer;
  for (const one of buttons) {
    one.disabled = true;
    if (one.textContent === answer) one.classList.add("answer");
  }
  if (!right) button.classList.add("wrong");
  score.right += Number(right);
  place("verdict").textContent = right ? "That is right." : `Not quite: it is ${answer}.`;
  place("score").textContent = `${score.right} of ${score.asked} right.`;
  delete card.dataset.open;
  return { chosen, right };
}

customElements.whenDefined("vasari-avatar").then(() => {
  tutor.instructions =
    "You are a warm, patient tutor of astronomy for children of twelve. Ask one question at a time, always with ask_question, and " +
    "say in one sentence why the answer is right. Keep to the planets.";
  tutor.tools = [
    {
      name: "ask_question",
      description: "Shows the student a question with choices, and tells what they chose. Use it for every question.",
      parameters: {
        type: "object",
        properties: {
          question: { type: "string" },
          choices: { type: "array", items: { type: "string" }, minItems: 2, maxItems: 4 },
          answer: { type: "string", description: "The right one of the choices." },
        },
        required: ["question", "choices", "answer"],
      },
      run: ask,
    },
  ];
});

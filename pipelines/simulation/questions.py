"""What the simulated use cases ask: forty questions of a firm that sells, ships and lends. Pure."""

from typing import Final

QUESTIONS: Final = (
    ("Churn of phone customers", "Which customers will cancel within 30 days?"),
    ("Late flights", "Which flights will arrive more than 15 minutes late?"),
    ("Loans at risk", "Which new loans will miss two instalments within a year?"),
    ("Returned parcels", "Which orders will come back unopened?"),
    ("Pumps before failure", "Which pumps will stop within the next seven days?"),
    ("Card fraud, online", "Which online payments does the holder not know of?"),
    ("Tickets to the right desk", "Which team should answer a new support ticket first?"),
    ("No-shows at the clinic", "Which patients will not come to their appointment?"),
    ("Empty shelves", "Which products will be sold out before the next delivery?"),
    ("Staff who may leave", "In which teams will more people leave than we can replace?"),
    ("Spam in reviews", "Which product reviews were written by nobody who bought it?"),
    ("Late payers", "Which invoices will be paid more than 14 days late?"),
    ("Claims to look at", "Which insurance claims deserve a second look?"),
    ("Second purchase", "Which first buyers will buy again within 60 days?"),
    ("Broken seals", "Which packages leave the line with a broken seal?"),
    ("Energy peaks", "On which days will our sites exceed the contracted load?"),
    ("Wrong addresses", "Which deliveries will fail because of the address?"),
    ("Trial to paid", "Which trial accounts will become paying ones?"),
    ("Tyres to change", "Which trucks need tyres before their next service?"),
    ("Calls that escalate", "Which calls will end in a complaint?"),
    ("Duplicate suppliers", "Which suppliers in our books are the same company?"),
    ("Overbooked rooms", "How many booked rooms will stay empty tonight?"),
    ("Letters to answer", "Which letters need an answer within two days?"),
    ("Contracts that end", "Which contracts will not be renewed?"),
    ("Milk yield", "Which cows will give less milk than expected this week?"),
    ("Slow lanes", "Which border crossings will take more than an hour?"),
    ("Faulty welds", "Which welds need to be checked by hand?"),
    ("Coupons that pay", "Whose basket grows when we send a coupon?"),
    ("Stolen accounts", "Which sign-ins are not by the owner of the account?"),
    ("Cold chain", "Which shipments will get too warm on their way?"),
    ("Students at risk", "Which students will not finish the term?"),
    ("Price of a flat", "For which flats is our estimate off by more than 10 %?"),
    ("Noise in sensors", "Which sensors report what cannot be?"),
    ("Missed meters", "Which meters were read wrongly?"),
    ("Waste routes", "Which bins are full before their turn?"),
    ("Job adverts", "Which adverts will find nobody within six weeks?"),
    ("Blood stock", "Which blood groups will run short within five days?"),
    ("Leaking pipes", "Where does water leave our network unseen?"),
    ("Library of photographs", "Which photographs show damage to a car?"),
    ("Queue at the till", "When will more than five people wait at a till?"),
)


def asked(number: int) -> tuple[str, str]:
    """Return title and question of a use case by its number from 0; a later round says its part."""
    title, question = QUESTIONS[number % len(QUESTIONS)]
    turn = number // len(QUESTIONS)
    return (f"{title}, part {turn + 1}" if turn else title), question

"""The documents of the page's tests: invented places in five languages, and one text that means harm."""

from __future__ import annotations

DOCUMENTS = {
    "library.md": """---
title: চাঁদপুর নগর গ্রন্থাগার
source_url: https://city.example/chandpur/library
---
চাঁদপুর নগর গ্রন্থাগার ২০১৯ সালে নতুন ভবনে স্থানান্তরিত হয়।
গ্রন্থাগারটিতে এখন ১২,৪০০টি বই আছে।
প্রতি শনিবার শিশুদের জন্য গল্প পড়ার আসর বসে।
""",
    "hospital.md": """---
title: सूरजगढ़ ज़िला अस्पताल
source_url: https://city.example/surajgarh/hospital
---
सूरजगढ़ ज़िला अस्पताल का नया भवन मार्च में खोला गया।
अस्पताल के नए भवन में 48 बिस्तर हैं।
दवाखाना सुबह आठ बजे खुलता है।
""",
    "ferry.md": """---
title: Färjan till Björkvik
source_url: https://city.example/bjorkvik/ferry
---
Färjan till Björkvik går varje timme från den östra kajen.
Färjan tar 320 bilar per dag.
Biljetter köps ombord, och cyklar åker gratis.
""",
    "bridge.md": """---
title: Cầu Tân Lộc
source_url: https://city.example/tanloc/bridge
---
Cầu Tân Lộc được khánh thành vào mùa xuân.
Cầu Tân Lộc dài 640 mét và có hai làn xe.
Người đi bộ có lối đi riêng ở phía bắc.
""",
    "museum.en.md": """---
title: The museum of Harrow Vale
source_url: https://city.example/harrow-vale/museum
---
The museum of Harrow Vale shows the history of the valley's mills.
The museum of Harrow Vale had 8,150 visitors last year.
It is closed on Mondays.
""",
    "museum.sv.md": """---
title: Museet i Harrow Vale
source_url: https://city.example/harrow-vale/museum
---
Museet i Harrow Vale visar dalens kvarnhistoria.
Museet har stängt på måndagar.
Museets kafé ligger i det gamla mjölmagasinet.
""",
    "kiosk.md": """---
title: "<img src=x onerror=alert(1)> [Marlow](javascript:alert(2))"
source_url: https://city.example/marlow/kiosk
---
The kiosk of Marlow sells \\<script>alert(3)\\</script> newspapers and \\!\\[tea](https://tracker.example/p.png).
The kiosk of Marlow has 17 shelves, says "\\>\\<svg onload=alert(4)\\>.
""",
}

QUESTIONS = {
    "bn": "চাঁদপুর নগর গ্রন্থাগারে কতগুলি বই আছে?",
    "hi": "सूरजगढ़ ज़िला अस्पताल के नए भवन में कितने बिस्तर हैं?",
    "sv": "Hur många bilar tar färjan till Björkvik per dag?",
    "vi": "Cầu Tân Lộc dài bao nhiêu mét?",
    "en": "How many visitors did the museum of Harrow Vale have last year?",
}
"""A question in each language that one of the documents answers."""

ANSWERS = {"bn": "১২,৪০০", "hi": "48", "sv": "320", "vi": "640", "en": "8,150"}
"""Words of the quote that answers it."""

UNANSWERED = "Who won the chess championship in Reykjavik?"
HOSTILE_QUESTION = "How many shelves does the kiosk of Marlow have?"

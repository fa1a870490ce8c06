"""Sentences for the invented corpus: made up for these tests."""

ENGLISH = [
    (
        "positive",
        "The acting is not bad at all, and the quiet ending is genuinely moving even if the middle drags a little.",
    ),
    ("negative", "A dull, overlong film that mistakes silence for depth and never earns its tears."),
    ("neutral", "It runs for two hours and is set in a harbour town during the winter of 1962."),
    ("positive", "Sharp, funny and humane: the best thing the director has made in years."),
    ("negative", "I wanted to like it, but the script is a mess and the jokes land with a thud."),
    ("positive", "What begins as a thin thriller turns into a warm portrait of two stubborn sisters."),
    ("neutral", "The second half repeats the structure of the first, with the roles exchanged."),
    ("negative", "Not even a fine cast can save these flat characters from a lazy plot."),
    ("positive", "An unhurried, beautiful film about work, weather and forgiveness."),
    ("negative", "Loud, hollow and far too pleased with itself; I looked at my watch four times."),
]
CHINESE = [
    (
        "negative",
        ["这", "部", "电影", "一点", "都", "不", "好看", "，", "剧情", "拖沓", "，", "只有", "配乐", "还", "行", "。"],
    ),
    ("positive", ["演员", "的", "表演", "非常", "自然", "，", "结尾", "让", "人", "感动", "。"]),
    ("neutral", ["故事", "发生", "在", "北方", "的", "一个", "小城", "。"]),
]
ARABIC = [
    ("positive", "الفيلم طويل جدا لكن التمثيل كان رائعا في النهاية"),
    ("negative", "قصة مملة وحوار ضعيف، لم أستمتع بأي مشهد"),
]
EMOJI = [("positive", "Loved it 😀👍 — would watch again! 🎬")]
SPEECH = (
    "Four score and seven years ago our fathers brought forth on this continent, a new nation, conceived in Liberty, "
    "and dedicated to the proposition that all men are created equal. Now we are engaged in a great civil war, testing "
    "whether that nation, or any nation so conceived and so dedicated, can long endure. "
)
HOSTILE = [
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "{{7*7}} {% raw %} ${7*7} $\\frac{1}{2}$",
    "<!--screen--> gone? <!--/screen-->",
    "price \u202etxt.exe\u202c end \u2066isolated\u2069",
    '" onmouseover="alert(1)" x=\'y\'',
    "&lt;b&gt; &amp; &#x3c;",
    "=cmd()|' /C calc'!A0",
    "a" * 10_000,
    "e" + "\u0301" * 60,
    "😀👨‍👩‍👧‍👦🏳️‍🌈 \ufffd 中文 עברית",
    "\U000133f4 hieroglyph \u1e2f\u0330",
    "url(https://evil.example/x.png) @import 'https://evil.example/'",
    "javascript:alert(1)//--></title><h1>",
]

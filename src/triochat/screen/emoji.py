"""Short names of emoji: ``:tada:`` becomes a character when it is sent. Pure.

The names are those that people know from GitHub and Slack.
"""

import re
from typing import Final

_TABLE: Final = """
+1 👍  thumbsup 👍  -1 👎  thumbsdown 👎  ok_hand 👌  wave 👋  clap 👏  raised_hands 🙌  pray 🙏
muscle 💪  fist ✊  facepunch 👊  punch 👊  v ✌️  crossed_fingers 🤞  point_up ☝️  point_down 👇
point_left 👈  point_right 👉  handshake 🤝  writing_hand ✍️  vulcan_salute 🖖  metal 🤘
call_me_hand 🤙  raised_hand ✋  open_hands 👐  eyes 👀  brain 🧠  ear 👂  nose 👃  tongue 👅
lips 👄  smile 😄  smiley 😃  grinning 😀  grin 😁  laughing 😆  satisfied 😆  sweat_smile 😅
joy 😂  rofl 🤣  blush 😊  innocent 😇  slightly_smiling_face 🙂  upside_down_face 🙃  wink 😉
relieved 😌  heart_eyes 😍  kissing_heart 😘  kissing 😗  yum 😋  stuck_out_tongue 😛
stuck_out_tongue_winking_eye 😜  zany_face 🤪  sunglasses 😎  nerd_face 🤓  star_struck 🤩
partying_face 🥳  smirk 😏  unamused 😒  disappointed 😞  pensive 😔  worried 😟  confused 😕
slightly_frowning_face 🙁  persevere 😣  confounded 😖  tired_face 😫  weary 😩  pleading_face 🥺
cry 😢  sob 😭  triumph 😤  angry 😠  rage 😡  cursing_face 🤬  exploding_head 🤯  flushed 😳
hot_face 🥵  cold_face 🥶  scream 😱  fearful 😨  cold_sweat 😰  disappointed_relieved 😥
sweat 😓  hugs 🤗  thinking 🤔  hand_over_mouth 🤭  shushing_face 🤫  lying_face 🤥  no_mouth 😶
neutral_face 😐  expressionless 😑  grimacing 😬  roll_eyes 🙄  astonished 😲  open_mouth 😮
hushed 😯  yawning_face 🥱  sleeping 😴  sleepy 😪  drooling_face 🤤  dizzy_face 😵
zipper_mouth_face 🤐  nauseated_face 🤢  vomiting_face 🤮  sneezing_face 🤧  mask 😷
cowboy_hat_face 🤠  smiling_imp 😈  imp 👿  ghost 👻  skull 💀  alien 👽  robot 🤖  poop 💩
clown_face 🤡  japanese_ogre 👹  space_invader 👾  jack_o_lantern 🎃  see_no_evil 🙈
hear_no_evil 🙉  speak_no_evil 🙊  heart ❤️  orange_heart 🧡  yellow_heart 💛  green_heart 💚
blue_heart 💙  purple_heart 💜  black_heart 🖤  broken_heart 💔  two_hearts 💕  sparkling_heart 💖
cupid 💘  kiss 💋  100 💯  anger 💢  boom 💥  collision 💥  dizzy 💫  sweat_drops 💦  dash 💨
zzz 💤  speech_balloon 💬  thought_balloon 💭  cat 🐱  dog 🐶  mouse 🐭  rabbit 🐰  fox_face 🦊
bear 🐻  panda_face 🐼  koala 🐨  tiger 🐯  lion 🦁  cow 🐮  pig 🐷  frog 🐸  monkey 🐒
monkey_face 🐵  chicken 🐔  penguin 🐧  bird 🐦  duck 🦆  owl 🦉  bat 🦇  wolf 🐺  horse 🐴
unicorn 🦄  bee 🐝  bug 🐛  butterfly 🦋  snail 🐌  ant 🐜  spider 🕷️  turtle 🐢  snake 🐍
crab 🦀  octopus 🐙  fish 🐟  whale 🐳  dolphin 🐬  shark 🦈  elephant 🐘  sloth 🦥  hedgehog 🦔
dragon 🐉  tree 🌳  evergreen_tree 🌲  palm_tree 🌴  cactus 🌵  herb 🌿  four_leaf_clover 🍀
fallen_leaf 🍂  mushroom 🍄  rose 🌹  sunflower 🌻  tulip 🌷  cherry_blossom 🌸  bouquet 💐
sun_with_face 🌞  sunny ☀️  cloud ☁️  rainbow 🌈  umbrella ☔  zap ⚡  snowflake ❄️  snowman ⛄
fire 🔥  ocean 🌊  star ⭐  star2 🌟  sparkles ✨  crescent_moon 🌙  full_moon 🌕  earth_africa 🌍
earth_americas 🌎  earth_asia 🌏  volcano 🌋  apple 🍎  green_apple 🍏  banana 🍌  lemon 🍋
watermelon 🍉  grapes 🍇  strawberry 🍓  cherries 🍒  peach 🍑  pineapple 🍍  avocado 🥑
eggplant 🍆  tomato 🍅  carrot 🥕  corn 🌽  hot_pepper 🌶️  bread 🍞  croissant 🥐  cheese 🧀
egg 🥚  bacon 🥓  hamburger 🍔  fries 🍟  pizza 🍕  hotdog 🌭  taco 🌮  burrito 🌯  sushi 🍣
ramen 🍜  spaghetti 🍝  rice 🍚  cookie 🍪  cake 🍰  birthday 🎂  doughnut 🍩  icecream 🍦
chocolate_bar 🍫  candy 🍬  popcorn 🍿  honey_pot 🍯  coffee ☕  tea 🍵  beer 🍺  beers 🍻
wine_glass 🍷  cocktail 🍸  champagne 🍾  clinking_glasses 🥂  tada 🎉  confetti_ball 🎊
balloon 🎈  gift 🎁  ribbon 🎀  christmas_tree 🎄  trophy 🏆  medal_sports 🏅  1st_place_medal 🥇
soccer ⚽  basketball 🏀  football 🏈  tennis 🎾  dart 🎯  game_die 🎲  video_game 🎮  jigsaw 🧩
guitar 🎸  musical_note 🎵  notes 🎶  microphone 🎤  headphones 🎧  art 🎨  clapper 🎬  tickets 🎟️
rocket 🚀  airplane ✈️  car 🚗  bus 🚌  train 🚆  bike 🚲  ship 🚢  sailboat ⛵  anchor ⚓
construction 🚧  rotating_light 🚨  house 🏠  office 🏢  hospital 🏥  school 🏫  tent ⛺
city_sunset 🌆  computer 💻  keyboard ⌨️  phone ☎️  iphone 📱  battery 🔋  electric_plug 🔌
bulb 💡  flashlight 🔦  floppy_disk 💾  cd 💿  camera 📷  tv 📺  radio 📻  hourglass ⌛
alarm_clock ⏰  watch ⌚  calendar 📆  date 📅  bell 🔔  no_bell 🔕  mute 🔇  loudspeaker 📢
mega 📣  mag 🔍  lock 🔒  unlock 🔓  key 🔑  hammer 🔨  wrench 🔧  nut_and_bolt 🔩  gear ⚙️
link 🔗  paperclip 📎  scissors ✂️  pushpin 📌  round_pushpin 📍  memo 📝  pencil2 ✏️  book 📖
books 📚  newspaper 📰  email ✉️  envelope ✉️  inbox_tray 📥  outbox_tray 📤  package 📦
mailbox 📫  clipboard 📋  chart 📈  chart_with_upwards_trend 📈  chart_with_downwards_trend 📉
bar_chart 📊  file_folder 📁  wastebasket 🗑️  bookmark 🔖  label 🏷️  moneybag 💰
money_with_wings 💸  gem 💎  crown 👑  eyeglasses 👓  tophat 🎩  test_tube 🧪  microscope 🔬
telescope 🔭  bomb 💣  pill 💊  syringe 💉  crystal_ball 🔮  shield 🛡️  white_check_mark ✅
heavy_check_mark ✔️  x ❌  question ❓  exclamation ❗  bangbang ‼️  interrobang ⁉️  warning ⚠️
no_entry ⛔  no_entry_sign 🚫  recycle ♻️  infinity ♾️  arrow_right ➡️  arrow_left ⬅️  arrow_up ⬆️
arrow_down ⬇️  arrows_counterclockwise 🔄  back 🔙  soon 🔜  new 🆕  free 🆓  cool 🆒  ok 🆗
sos 🆘  up 🆙  red_circle 🔴  green_circle 🟢  yellow_circle 🟡  large_blue_circle 🔵
white_circle ⚪  black_circle ⚫  checkered_flag 🏁  triangular_flag_on_post 🚩  white_flag 🏳️
pirate_flag 🏴‍☠️  copyright ©️  tm ™️  shrug 🤷  facepalm 🤦  man_shrugging 🤷‍♂️
woman_shrugging 🤷‍♀️  raising_hand 🙋  bow 🙇  runner 🏃  walking 🚶  dancer 💃  technologist 🧑‍💻
ninja 🥷  santa 🎅  baby 👶  family 👪  footprints 👣
"""

EMOJI: Final[dict[str, str]] = dict(zip(_TABLE.split()[::2], _TABLE.split()[1::2], strict=True))
"""Short name, without its colons, to character."""

_PLACES: Final = re.compile(
    r"```.*?(?:```|\Z)"  # code of several lines
    r"|`[^`\n]+`"  # code within one
    r"|(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*://\S+"  # an address
    r"|(?<![\w:])(?P<names>(?::[a-z0-9_+-]+:)+)(?![\w:])",
    re.DOTALL,
)
_NAME: Final = re.compile(":([a-z0-9_+-]+):")


def expand(text: str) -> str:
    """The text with characters for short names; not in code, in addresses, or within a word.

    Code stands between backticks, and a name that there is not stays as it is.
    """
    return _PLACES.sub(_place, text) if ":" in text else text


def _place(match: re.Match[str]) -> str:
    names = match["names"]
    if names is None:
        return match.group()
    return _NAME.sub(lambda it: EMOJI.get(it[1], it[0]), names)

/**
 * What passwords are made of first: lower case, without accents, four characters and more. The most
 * used words of leaked passwords and the most given names (lists of zxcvbn, MIT licence, copyright
 * 2012-2016 Dan Wheeler and Dropbox, Inc.), without obscene ones; and words for passwords, seasons,
 * months, keyboards, places and health care in the languages of likely users. A compact list does:
 * the shortest password allowed is longer than nearly all of the lists that attackers start with,
 * so what matters is the words that longer ones are stretched from.
 */
export const COMMON_WORDS: readonly string[] = `
010203040506 102030405060 112233445566 123123qweqwe 123456654321 123456782000 12345678900987654321
1234567890qwe 123456789123 12345678987654321 123456789987654321 123456789qwe 123456789qwerty
123456qwerty 1234qwerasdf 123qwe456rty 123qweasdzxc 159753456852 1q2w3e4r5t6y 1qaz2wsx3edc
1qaz2wsx3edc4rfv 1qazxsw23edc 1qazxsw23edcvfr4 31217221027711 541233432442 aardvark aaron abcd
abcdef abcdefgh abcdefghijkl abril access accord account acht action adam adgangskode adgjmptw
adidas admin administrator adrian aerztin agnes agosto airborne airforce airplane alabama alan
alaska albert alex alexande alexander alexandr alexis alfred alice alicia alison allan allen
allison alma alpha alvin alyssa amanda amateur amber america american amor amour anderson andre
andrea andreas andrew andrewjackie andrey android angel angela angelina angels animal anita anna
anne annette annie anthony antonio aout apache apollo apotheke apple apples april aragorn arizona
arlene arnold arthur artist arzt asdasd asdf asdfasdf asdfg asdfgh asdfghj asdfghjk asdfghjkl
asdfghjkl123 ashley assassin athena atlanta atlantis audrey august aurora austin austria autumn
avalon avatar avril awesome azerty azertyuiop babes baby babydoll babygirl babylon badboy badger
bailey baller balls bambam banana bandit barbara barbie barcelona barney barry baseball basketba
basketball batman baxter beach bear beatles beatrice beauty beaver beavis beer benjamin benson
berlin bernard bernice bernie bertha bessie beth betty beverly bienvenido bienvenue bigboy
bigdaddy bigdog bigfoot bigmac bigman bigone bigred bill billy billybob birdie birthday bishop
blabla black blahblah blaster blazer blizzard blonde blondie blue bluebird bobafett bobby bobcat
bonjour bonnie booger boogie boomer boston bowling brad bradley brandi brandon brandy braves
brazil brenda brent brett brian britney brittany bronco broncos brooke brooklyn brother brown
browns bruce bruins brutus bryan bubba bubble bubbles buckeye buckeyes buddha buddy budlight
buffalo bulldog bulldogs bullet bunny burger burton business businessbabe buster butter butterfl
butterfly cadillac caesar calvin camaro cameron campbell canada cancer candy cannon captain
cardinal cardiology carl carla carlos carmen carol carolina caroline carolyn carrie carter cartman
casey casino casper cassie castle catdog catfish catherine cathy cavalier cecil celtic cerner
cessna chad champion chance chandler changeme charger charlene charles charlie charlotte check
cheese chelsea cherokee cherry cheryl chester chesterfield chevelle chevy cheyenne chicago chicken
chiefs chipper chocolat chopper chris chrissy christ christia christian christin christina
christine christopher chronic ciao cindy cjkysirj claire clara clarence classic claude claudia
clifford clinic clinica clinical clinique clinton clyde cobra cocacola cody coffee colleen college
colorado colors compaq computer connie connor consent constance consumer contortionist contrasena
control cookie cookies cool cooper copper corey corona corvette cory cosmopolitan cougar
counterstrike country courtney cowboy cowboys coyote craig crazy creative cricket cristina crystal
cthutq curtis cynthia daddy daisy dakota dale dallas dana dancer danger daniel danielle danny
darkness darkside darkstar darlene darrell darren darryl database dave david dawn dbrnjhbz dean
death debbie deborah debra december decembre default defender deftones delores demo denise dennis
denver derek derrick design destiny detroit deutschland devildog devils dexter dezember dfvgbh
diablo diamond diamonds diana diane diciembre dienstag diesel digger digital dilbert dimanche
disney dkflbvbhjdbx dkflbvbhjdyf docteur doctor dodgers doggie dollar dolores dolphin dolphins
domino donald donkey donna donnerstag dora doris dorothy douglas dragon dragons dreamer dreams
drei driver drowssap drpepper drummer duane ducati dude dudley duke duncan dustin eagle eagles
earl eclipse eddie edgar edith edna edward edwin eight eileen eins einstein elaine eleanor
electric elena elephant elizabet elizabeth ella ellen elmer elsie elvis emergency emily eminem
emma empire encounter enero enfermera engineer england enigma enjoy enter enterpri epic eric erica
erik erin ernest escort espana esther ethel eugene evelyn everton example explorer express extreme
falcon family fantasy farmer fatboy father febrero februar february fender fernando ferrari fetish
fevrier fhir ficken finalfantasy fire fireball firebird fireman fish fisher fishing five
fkmnthyfnbdf fktrcfylh fktrcfylhjdbx fktrcfylhjdyf fktrctq flash flipper florence florida flower
flowers floyd fluffy flvbybcnhfnjh flyers foobar football ford forest forever four france frances
francis francisco frank frankie franklin freaky fred freddie freddy frederick free freedom freeman
freeuser freitag friday friend friends froggy fruehling fruhling fuenf fussball futbol future
fyfcnfcbz fylhtq gabriel gail galaxy galina galore gambit gandalf garcia garden garfield gary gate
gateway gators geheim gemini gene general genesis genius george georgia gerald geraldine german
germany gertrude gesundheit gfhjkm gfhjkmgfhjkm ghbdtn ghbdtnghbdtn ghbdtnrfrltkf ghjcnjgfhjkm
ghjcnjghjcnj ghjcnjrdfibyj giants gibson gilbert gina ginger girl girls gizmo gladys glen glenda
glenn gloria goblue godzilla goforit goldberg golden goldfish goldie golf golfer goober good
google gordon grace gracie great green greenday greg gregory griffin guest guinness guitar gundam
gunner hacker hallo hamburg hamilton hamlet hammer hamster hannah happy hard hardcore harley
harold harrison harry harvey haslo hawaii hawkeye hazel health healthcare heather heaven hector
hedimaptfcor heidi helen hellfire hello helpme hendrix henry herbert herbst hercules herman
hesoyam highland hiphop hitman hiver hjvfirf hobbes hobbit hockey hola holiday holland holly homer
honda honey hopital hornet horse horses hospital hotdog hotrod hotstuff hottie house houston
howard hummer hunter hunting ibanez icecream iceman iloveu iloveyou impala indian indiana indians
indigo infinity infirmiere insane integra intelligence international internet invierno iphone
ireland irene ironman isabella iseedeadpeople island italia iwantu jack jackie jackson jacob
jacqueline jaguar jake james jamie jane janet janice januar january janvier jared jasmin jasmine
jason jasper javier jean jeanette jeanne jeff jeffery jeffrey jennifer jenny jeremy jerome jerry
jesse jessica jessie jester jesus jeudi jill jimmy joan joann joanne joel john johnny johnson
joker jonathan jones jordan jorge jose joseph josephine joshua joyce juan juanita judith judy
juillet juin juli julia julian julie julio july june jungle juni junio junior jupiter justice
justin justinbieber justme juventus kaiser karate karen karina karl katana katherine kathleen
kathryn kathy katie kawasaki keith kelly kelsey kenneth kennwort kermit kevin killer kimberly king
kirill kissme kitten kitty klaster klinik klinikum knicks knight kodiak kramer krankenhaus kristen
kristin kristina kurt kyle labor laboratory lacrosse ladies lakers lance lancer laptop larisa
larry lasvegas laura lauren laurie lawrence leather leavemealone legend lennon leon leonard
leonardo leroy leslie lestat lester letmein lewis liberty liebe lifehack light lights lillian
lillie lincoln linda lindsay lisa little lizard lloyd login logitech lois lolita lollol london
lonewolf longhorn lonnie looking loretta lori lorraine losenord louis louise love lovely loveme
lover loverboy lovers loveyou lucifer lucille lucky lucy luis lundi lydia lynn machine maddie
maddog madison madman madmax madonna madrid maerz maggie magic magnum maiden maksim malibu manager
manchester manson manuel manutd marathon marc march marcia marcus mardi margaret maria mariah
marian marie marilyn marina marine marines marino mario marion marjorie mark marlboro marlene
marley marshall martha martin marvin mary maryjane marzo master mathew matrix matt matthew maureen
maurice maurolarastefy maverick maxima maximus maxwell mayo medecin medical medicine medico
medizin megan melanie melinda melissa melvin member mercedes mercredi mercury merlin metallic
metallica mevefalkcakk mexico michael micheal michele michelle michigan mickey microsoft midnight
miguel mike mildred miller millie milton mine minecraft minnie miranda mister mistress mitchell
mittwoch mnbvcxz mobile molly monday money monica monika monkey monster montag montana montreal
mookie moose morgan morpheus morris motdepasse mother motorola mountain mouse mozart muenchen
muffin munich murphy music mustang mylove nadine nancy napoleon naruto nascar nastya natali
natalie natasha nathan nathaniel naughty needforspeed neil nellie nelson nemesis networkingpe neun
newport newton newyork nfnmzyf nicholas nick nicolas nicole nikita nine nintendo nirvana nissan
none norma norman norton nothing november novembre noviembre null nurse oauth observation october
octobre octubre oesterreich oksana oktober oliver olivia oncology online openid openup oracle
orange orlando oscar otono outlaw overlord packard packers pakistan paladin pamela pandora pantera
panther panthers panzer paradise paris parker parola pascal passion passphrase passport passwd
passwor password passwort patches patient patricia patrick patriots paul paula pauline pavilion
peaches peanut pearl pearljam pebbles pedro peekaboo peewee pegasus peggy pencil penguin people
pepper pepsi perfect peter pflege phantom pharmacy philip phillip phoenix phpbb phyllis picard
pickle pierre piglet pioneer pirate pitbull pizza platinum playboy player please pokemon polaris
police polina pontiac popcorn popeye porsche potter power powers practitioner praxis precious
predator prelude presario pretty primavera prince princess printemps prinzessin private
professional psycho ptybnxtvgbjy pumpkin purple pyramid q1w2e3r4t5y6 q1w2e3r4t5y6u7
q1w2e3r4t5y6u7i8 qazqaz qazwsx qazwsxedc qazwsxedc123 qazwsxedcrfv qazwsxedcrfvtgb qazxsw
qazxswedcvfr qwaszx qweasd qweasdzxc qweasdzxc123 qweqwe qwerasdfzxcv qwert qwerty qwerty123456
qwerty123456789 qwertyasdfgh qwertyu qwertyui qwertyuiop qwertyuiop123 qwertyytrewq qwertz
qwertzuiop rabbit rachel racing radiology rafael raider raiders rainbow ralph ramon randall random
randy ranger rangers raptor rascal raul raven raymond razz reaper rebecca reddog redhead redman
redneck redrum redskins redsox redwings reggie regina reginald remember renee renegade rhonda
ricardo richard rick ricky rita robbie robert roberta roberto robin rock rocket rocks rockstar
rocky rodney roger roland rolltide roma ronald ronaldo ronnie rooster root rosa roscoe rose
rosebud rosemary ruben ruby rulez runner ruslan russell russia rusty ruth ryan sabrina sailor
saints salasana sally salud samantha samedi sammie sammy sample sampson samson samstag samsung
samuel samurai sandman sandra sandy sante sara sarah sasha saturday saturn savage savannah
scandinavian scarface schatz school schweiz schwester scooby scooter scope scorpio scorpion
scotland scott scotty scully sean seattle sechs secret security semperfi senha september septembre
septiembre serega serenity sergey server service seven shadow shaggy shamrock shane shannon sharon
shawn sheila shelby shelly sherlock sherry shirley shooter shorty shotgun sidney sieben siemens
sierra signin silver simon simone simple simpson simpsons single sister skater skeeter skipper
skippy skyline slayer slipknot smart smiley smith smitty smoke smokey smooth snake snickers sniper
snoopy snowball snowman soccer softball software sommer sonnenschein sonntag sonyericsson sophia
sophie spanky sparky spartak spartan special speedy spencer spider spiderma spiderman spike spirit
spital spitfire sports spring squirt srinivas stacey stacy stalker stanley star stargate startrek
starwars station stealth steelers stefan stella stephani stephanie stephen sterling steve steven
stewart stinger stingray stinky stones storm stormy street strike student stupid subaru sublime
success sugar summer sunday sunset sunshine super superman supernatural surfer surgery susan
suzanne suzuki svetlana sweet sweetie sweetpea sweety swimming swinger swordfis swordfish sydney
sylvia system tamara tammy tanner tanya tara target tarheels tattoo taurus taylor teacher techno
teens temporary tennis teresa terri terry test tester testing texas thailand thelma theman
theodore theone theresa therock thomas three thuglife thumper thunder thursday tickle tiffany
tiger tigers tigger timber time timothy tina tinker titanic todd token tomcat tommy tony tonya
topgun tornado toronto toshiba toyota tracy transam transformers travel travis tres trevor
trfnthbyf trigger trinity tristan triumph trooper trouble troy trucker trucks trumpet tucker
tuesday turkey turtle tweety tyler tyrone unbelievable unicorn united user valentin valentina
valera valerie valkommen vampire vanessa vanyarespekt vegeta vendredi vera verano vernon veronica
veronika vfhbyf vfrcbv vfvfvskfhfve vicki victor victoria victory video vienna vier viking vikings
viktor vincent viola viper vision vivian vladimir voodoo voyager wachtwoord walker wallace walter
wanda warcraft ward warren warrior water wayne weasel websolutions wednesday welcome welkom wendy
wesley westside whatever white whosyourdaddy whynot wicked wien wildcat wildcats william williams
willie willkommen willow wilma wilson windows winner winnie winston winter wizard wolf wolfgang
wolfpack wolverin wolves wombat wonder woody wrangler wsxedc wutang xavier xfiles yamaha yankee
yankees yellow yfnfif yolanda young ytrewq yvonne yxcvbnm zachary zaq1xsw2cde3 zaqwsx zeppelin
zero zombie zuerich zurich zwei zxcvbn zxcvbnm
`
  .trim()
  .split(/\s+/)

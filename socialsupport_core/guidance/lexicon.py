"""The words by which rules tell what kind of contact a message is, by language.

Entries are apart by commas; `*` ends a stem. Upper and lower case, accents and typographic apostrophes make no
difference. A tenant adds its own words, and takes away what misleads it: see `triage`.
"""

from collections.abc import Mapping

KINDS: Mapping[str, Mapping[str, str]] = {
    "complaint": {
        "en": (
            "broken, damaged, defective, faulty, doesn't work, does not work, not working, stopped working, isn't"
            " working, won't turn on, won't start, won't open, keeps crashing, crashes, never arrived, hasn't arrived,"
            " not arrived, still waiting, still no, still nothing, no reply, no response, nobody answers, no one"
            " answers, no answer, ignored, ignoring, terrible, horrible, awful, worst, disgusting, disgrace*,"
            " unacceptable, ridiculous, joke of a, pathetic, useless, rude, disappointed, disappointing, frustrat*,"
            " fed up, angry, furious, annoyed, complain*, complaint, rip off, ripped off, scammed, overcharged,"
            " charged twice, double charged, charged me twice, wrong item, wrong size, wrong order, wrong address,"
            " missing item, is missing, are missing, was missing, third time, second time, again and again, delayed,"
            " late again, lost my, never again, not happy, unhappy, waste of, cancelled my, refuse to, refused to,"
            " poor service, bad service, shame on you, unusable, error message, locked out, can't log in, cannot log"
            " in, can't login, for weeks, stuck"
        ),
        "de": (
            "kaputt, defekt, beschadigt, funktioniert nicht, geht nicht, funktioniert immer noch nicht, geht immer"
            " noch nicht, nicht angekommen, nie angekommen, immer noch nicht, noch immer nicht, warte seit, warte"
            " immer noch, keine antwort, niemand antwortet, keiner antwortet, meldet sich niemand, ignoriert,"
            " schlecht, schlechteste*, furchtbar, schrecklich, katastrophe, katastrophal, unverschamt*, frechheit,"
            " unmoglich, lacherlich, enttausch*, frustriert, sauer, wutend, verargert, beschwer*, reklamation,"
            " reklamier*, abgezockt, abzocke, betrogen, doppelt abgebucht, zweimal abgebucht, falsche*, fehlt, fehlen,"
            " zum dritten mal, zum zweiten mal, schon wieder, verspatet, verspatung, nie wieder, unzufrieden, nicht"
            " zufrieden, unfreundlich, fehlermeldung, sturzt ab, lasst sich nicht, startet nicht, ausgesperrt,"
            " armselig, inakzeptabel, mangelhaft, seit wochen, verloren gegangen"
        ),
        "es": (
            "roto, rota, danado, danada, defectuos*, no funciona, dejo de funcionar, no enciende, no abre, no ha"
            " llegado, nunca llego, no llego, sigo esperando, todavia espero, llevo esperando, sin respuesta, nadie"
            " responde, nadie contesta, no contestan, ignoran, pesimo, pesima, terrible, horrible, fatal, peor,"
            " inaceptable, verguenza, vergonzoso, ridiculo, decepcion*, frustrad*, hart*, enfadad*, indignad*,"
            " queja, quejarme, reclam*, estafa, estafad*, robo, cobraron dos veces, cobrado dos veces, doble cargo,"
            " equivocad*, falta un, falta una, faltan, tercera vez, segunda vez, otra vez lo mismo, retras*, nunca"
            " mas, mal servicio, mala atencion, maleducad*, grosero*, mensaje de error, no puedo entrar, no puedo"
            " acceder, se cierra sola, bloquead*, desde hace semanas, perdieron"
        ),
        "fr": (
            "casse, cassee, abime, abimee, defectueu*, ne fonctionne pas, ne marche pas, ne fonctionne plus, ne marche"
            " plus, marche pas, fonctionne pas, ne s'allume pas, jamais arrive, pas arrive, pas recu, rien recu,"
            " toujours pas, j'attends toujours, attends depuis, sans reponse, aucune reponse, personne ne repond,"
            " ignore, nul, nulle, horrible, affreux, lamentable, pire, honte, honteux, scandaleux, inadmissible,"
            " inacceptable, ridicule, decu, decue, decevant*, frustre*, marre, colere, furieu*, mecontent*, plain*,"
            " reclamation, arnaque*, vole*, debite deux fois, preleve deux fois, prelevee deux fois, mauvais article,"
            " mauvaise taille, erreur, manque, manquant*, troisieme fois, deuxieme fois, encore une fois, retard,"
            " plus jamais, mauvais service, impoli*, message d'erreur, impossible de me connecter, bloque*, plante,"
            " depuis des semaines, perdu mon"
        ),
    },
    "request": {
        "en": (
            "please, i need, i want, i would like, i'd like, can you, could you, would you, help me, need help, cancel"
            " my, change my, update my, send me, refund, return my, replace, replacement, reset my, unsubscribe me,"
            " delete my, book, reschedule, resend, get back to me, call me"
        ),
        "de": (
            "bitte, ich brauche, ich mochte, ich will, ich wurde gern*, konnen sie, konnten sie, kannst du, konnt"
            " ihr, konntet ihr, helfen, hilfe, stornier*, andern, ruckerstattung, erstatt*, umtausch*, ersatz,"
            " zurucksetzen, kundig*, loschen, schicken sie, senden sie, rufen sie mich, ruckruf, terminverschieb*,"
            " verschieben"
        ),
        "es": (
            "por favor, necesito, quiero, quisiera, me gustaria, pueden, podrian, puede, podria, puedes, ayuda,"
            " ayudarme, ayudenme, cancelar, cambiar mi, cambiar la, actualizar, reembolso, devolver, devolucion,"
            " reemplazo, restablecer, darme de baja, eliminar mi, enviarme, mandarme, llamarme, llamenme"
        ),
        "fr": (
            "s'il vous plait, svp, s'il te plait, merci de me, j'ai besoin, je voudrais, je veux, j'aimerais,"
            " pouvez vous, pourriez vous, pouvez, pourriez, aidez, aider, aide, annuler, changer mon, changer ma,"
            " modifier, rembours*, echang*, retourner, remplac*, reinitialis*, desinscri*, resili*, supprimer,"
            " envoyez moi, m'envoyer, rappel*"
        ),
    },
    "question": {
        "en": (
            "how do i, how can i, how much, how long, what time, when will, when is, when do, when does, where is,"
            " where can i, where do, do you, does it, does this, is it, is there, are there, are you, which, what's"
            " the, what is, can i, who do i, i was wondering, wonder if, is this"
        ),
        "de": (
            "wie kann ich, wie lange, wie viel, wieviel, wie oft, wann, wo kann ich, wo ist, wo finde, welche*,"
            " gibt es, habt ihr, haben sie, ist es moglich, kann man, kann ich, was kostet, wieso, warum, wer ist"
        ),
        "es": (
            "como puedo, como se, cuanto, cuanta, cuantos, cuando, donde, cual, cuales, tienen, hay algun*, es"
            " posible, se puede, puedo, que diferencia, que horario, a que hora, por que, quien"
        ),
        "fr": (
            "comment, combien, quand, quel, quelle, quels, quelles, est ce que, avez vous, y a t il, est il possible,"
            " puis je, peut on, pourquoi, a quelle heure, qui dois je, qu'est ce"
        ),
    },
    "opinion": {
        "en": (
            "i think, in my opinion, imo, imho, i prefer, i liked the old, you should, they should, should bring back,"
            " would be nice, would be better, would be great if, would love to see, wish you, wish they, i feel like,"
            " personally, i believe, it's time for, idea for, my two cents, suggestion, honestly i, bring back,"
            " not a fan of, in my view"
        ),
        "de": (
            "ich finde, ich denke, meiner meinung nach, meines erachtens, ich glaube, ihr solltet, sie sollten, ware"
            " schon, ware besser, ware toll, ware cool, wurde mir wunschen, wunsche mir, lieber mochte ich, fruher war,"
            " das alte, vorschlag, anregung, personlich, aus meiner sicht, mir gefallt, gefallt mir nicht"
        ),
        "es": (
            "creo que, en mi opinion, pienso que, opino que, prefiero, deberian, deberia, estaria bien, seria mejor,"
            " seria bueno, seria genial, ojala, me parece, sugerencia, sugiero, personalmente, antes era, propongo, a"
            " mi juicio"
        ),
        "fr": (
            "je pense, je trouve, a mon avis, selon moi, je crois, je prefere, vous devriez, devriez, ce serait bien,"
            " ce serait mieux, serait mieux, serait bien, j'aimerais voir, dommage que, suggestion, personnellement,"
            " avant c'etait, je suggere, d'apres moi, pour moi"
        ),
    },
    "praise": {
        "en": (
            "thank you, thanks, thx, great job, good job, well done, amazing, awesome, love it, i love, love your, love"
            " the, loved, excellent, fantastic, wonderful, perfect, brilliant, outstanding, best service, best"
            " customer, kudos, shout out, shoutout, impressed, so helpful, very helpful, super helpful, made my day,"
            " highly recommend, would recommend, great service, great support, great product, happy with, delighted,"
            " keep it up, you rock, five stars, 5 stars, superb, lifesaver, hats off, above and beyond"
        ),
        "de": (
            "danke, dankeschon, vielen dank, herzlichen dank, super, klasse, toll*, grossartig, perfekt,"
            " hervorragend, ausgezeichnet, fantastisch, wunderbar, spitze, spitzen*, begeistert, sehr zufrieden,"
            " freundlich*, hilfsbereit*, empfehl*, weiterempfehl*, lob, ein lob, weiter so, gute arbeit, liebe es,"
            " gefreut, top service, bester, beste, genial, kompliment, daumen hoch, funf sterne"
        ),
        "es": (
            "gracias, muchas gracias, mil gracias, excelente, increible, genial, fantastic*, maravillos*, perfecto,"
            " perfecta, encanta, encanto, encantad*, estupend*, buen trabajo, gran trabajo, buen servicio, gran"
            " servicio, felicit*, enhorabuena, recomiendo, muy amable, muy amables, contento, contenta, feliz, lo"
            " mejor, los mejores, sois geniales, diez, cinco estrellas, de maravilla, impresionad*, bravo"
        ),
        "fr": (
            "merci, merci beaucoup, super, genial, geniale, excellent*, parfait*, formidable, magnifique, fantastique,"
            " j'adore, adore, bravo, felicitations, ravi, ravie, tres satisfait*, satisfait*, au top, top, recommande,"
            " tres gentil*, bon travail, beau travail, impeccable, chapeau, meilleur*, efficace*, adorable, cinq"
            " etoiles, continuez"
        ),
    },
    "promotion": {
        "en": (
            "promo code, promo codes, discount code, coupon, coupons, voucher code, any discounts, any deals, any"
            " promos, any promotions, student discount, giveaway, giveaways, give away, freebie, freebies, free sample,"
            " free samples, free stuff, for free, free product, win a, want to win, hope i win, pick me, i'm in,"
            " entered, contest, sweepstakes, raffle, follow me, follow back, retweet, collab, collaborate,"
            " collaboration, sponsor me, sponsor my, sponsorship, sponsor, ambassador, influencer, pr package, pr list,"
            " my channel, my page, black friday deal, black friday deals, free shipping code, shout me out, referral"
            " code, gift card, gift cards"
        ),
        "de": (
            "rabattcode, gutscheincode, gutschein, gutscheine, rabatt, rabatte, studentenrabatt, gewinnspiel,"
            " gewinnspiele, verlosung, verlost ihr, verlosen, gewinnen, gratis, kostenlose probe, proben, gratisprobe*,"
            " umsonst, folgt mir, folge mir, zuruckfolgen, kooperation, zusammenarbeit, influencer, influencerin,"
            " botschafter, botschafterin, sponsor*, mein kanal, meinem kanal, meine seite, follower, reichweite,"
            " rabattaktion, sonderangebot, sonderangebote, bin dabei, ich mache mit, testprodukt*, produkttest*,"
            " black friday angebot*, freebies"
        ),
        "es": (
            "codigo de descuento, codigo promocional, cupon, cupones, descuento, descuentos, promocion, promociones,"
            " sorteo, sorteos, concurso, ganar, gratis, muestra gratis, muestras gratis, regalo, regalan, regalais,"
            " participo, participando, sigueme, siganme, seguidores, colaboracion, colaborar, colaboremos,"
            " patrocin*, influencer, embajador, embajadora, mi canal, mi cuenta de instagram, ofertas, black"
            " friday, tarjeta regalo, rebajas, suerte"
        ),
        "fr": (
            "code promo, codes promo, code de reduction, reduction, reductions, bon de reduction, bons de reduction,"
            " remise, remises, promo, promos, concours, jeu concours, tirage au sort, gagner, gratuit, gratuits,"
            " echantillon*, cadeau, cadeaux, je participe, je tente ma chance, suivez moi, abonnes, abonnez vous,"
            " collaboration, collaborer, collab, partenariat, partenaire, sponsor*, influenceur, influenceuse,"
            " ambassadeur, ambassadrice, ma chaine, ma page, soldes, bons plans, parrainage, carte cadeau"
        ),
    },
    "spam": {
        "en": (
            "click here, click the link, click my, link in bio, check my bio, earn money, make money, earn $, work from"
            " home, passive income, crypto, bitcoin, forex, investment opportunity, invest with, guaranteed returns,"
            " double your, buy followers, cheap followers, get followers, seo services, rank your website, rank on"
            " google, web design services, loan, loans, casino, betting tips, viagra, weight loss, hot singles, sexy,"
            " onlyfans, dm for, dm me for, whatsapp me, telegram group, join my, account recovery, hacker, limited"
            " offer, act now, congratulations you, you have won, you won, claim your, manifest*, spell caster"
        ),
        "de": (
            "klick hier, klicke hier, klickt auf, link in bio, link in der bio, geld verdienen, verdiene, verdienen"
            " sie, von zu hause, passives einkommen, krypto, bitcoin, trading, investieren sie, investition,"
            " garantierte rendite, verdoppeln, follower kaufen, billige follower, seo dienst*,"
            " suchmaschinenoptimierung, kredit, kredite, casino, wetten, abnehmen, heisse singles, schreib mir auf"
            " whatsapp, telegram gruppe, sie haben gewonnen, du hast gewonnen, jetzt zugreifen, nur heute, hellseher*,"
            " webdesign"
        ),
        "es": (
            "haz clic, haga clic, enlace en mi, link en mi, gana dinero, ganar dinero, dinero desde casa, trabaja"
            " desde casa, ingresos pasivos, cripto*, bitcoin, forex, trading, invierte, inversion, rentabilidad"
            " garantizada, duplica, comprar seguidores, compra seguidores, seguidores baratos, posicionamiento seo,"
            " prestamo, prestamos, casino, apuestas, adelgaza*, bajar de peso, solteras, escribeme al whatsapp, grupo"
            " de telegram, has ganado, felicidades has, reclama tu premio, oferta limitada, brujo, amarres, diseno web"
        ),
        "fr": (
            "cliquez ici, cliquez sur, clique sur, lien en bio, lien dans ma bio, gagnez de l'argent, gagner de"
            " l'argent, travail a domicile, revenus passifs, crypto*, bitcoin, forex, trading, investissez,"
            " investissement, rendement garanti, doublez, acheter des abonnes, achetez des abonnes, abonnes pas cher,"
            " referencement, pret entre particuliers, offre de pret, pret rapide, casino, paris sportifs, perdre du"
            " poids, maigrir, celibataires, contactez moi sur whatsapp, groupe telegram, vous avez gagne, reclamez"
            " votre, offre limitee, voyant*, marabout, creation de site"
        ),
    },
}

URGENT: Mapping[str, str] = {
    "en": (
        "urgent, urgently, asap, as soon as possible, immediately, right now, emergency, today, tonight, tomorrow"
        " morning, deadline, hacked, stolen, fraud, unauthorized, locked out, stranded, lawyer, legal action, sue,"
        " police, dangerous, smoke, fire, injured, allergic, leaving for, flight leaves, wedding"
    ),
    "de": (
        "dringend, eilt, eilig, sofort, schnellstmoglich, so schnell wie moglich, umgehend, notfall, heute noch, heute"
        " abend, morgen fruh, frist, gehackt, gestohlen, betrug, anwalt, rechtsanwalt, polizei, gefahrlich, rauch,"
        " brennt, verletzt, allergisch, gestrandet, hochzeit"
    ),
    "es": (
        "urgente, urgentemente, urge, cuanto antes, lo antes posible, inmediatamente, ahora mismo, ya mismo,"
        " emergencia, hoy mismo, esta noche, manana temprano, plazo, hackead*, robada, robado, fraude, abogado,"
        " denuncia, policia, peligros*, humo, fuego, alergic*, varad*, boda"
    ),
    "fr": (
        "urgent, urgente, urgence, au plus vite, des que possible, le plus vite possible, immediatement, tout de suite,"
        " aujourd'hui meme, ce soir, demain matin, delai, pirate, piratee, fraude, avocat, plainte, police, dangereu*,"
        " fumee, feu, blesse*, allergi*, mariage"
    ),
}

NEGATIONS: Mapping[str, str] = {
    "en": "not, no, never, isn't, wasn't, don't, didn't, hardly, less than",
    "de": "nicht, kein, keine, keinen, nie, kaum, weder",
    "es": "no, nunca, ni, sin, nada",
    "fr": "pas, ne, jamais, aucun, aucune, plus",
}
"""Before praise it is none."""

COMMON: Mapping[str, str] = {
    "en": (
        "the, and, you, your, my, is, it, to, of, for, this, that, with, have, was, are, not, but, i, i'm, it's, what,"
        " when, how, just, they, we, been, from, an, if, there, can, would, please, thanks, hi, hello, where, still,"
        " any, get, got, had, has, will, our, at, by, be, on, so, do, does"
    ),
    "de": (
        "der, die, das, und, ich, ist, nicht, ein, eine, einen, mein, meine, meinen, sie, ihr, ihre, euch, euer, wir,"
        " zu, mit, fur, auf, von, den, dem, es, im, bei, noch, schon, wie, wann, wo, bitte, danke, hallo, habe, hat,"
        " war, sind, wird, kann, aber, auch, seit, mir, mich, nach, uber, immer, nur, oder, wurde, zum, zur, was, gibt,"
        " guten, tag"
    ),
    "es": (
        "el, la, los, las, que, de, y, en, un, una, es, mi, mis, no, por, con, para, su, lo, me, se, del, al, pero,"
        " muy, mas, como, cuando, donde, hola, gracias, favor, esta, este, esto, tengo, hace, hay, ya, sin, les, le,"
        " son, fue, ha, he, desde, todo, porque, buenas, buenos, dias, vuestro, sus, bien, ser, tener, si"
    ),
    "fr": (
        "le, la, les, des, et, je, est, un, une, de, du, que, qui, ne, pas, mon, ma, mes, vous, votre, vos, nous, pour,"
        " avec, sur, dans, en, ce, cette, ca, c'est, j'ai, il, elle, bonjour, merci, mais, plus, tres, au, aux, depuis,"
        " suis, ai, avez, ete, sont, encore, toujours, se, y, a, tout, bien, salut"
    ),
    "it": (
        "il, lo, gli, di, che, e, un, una, per, non, sono, ho, mio, mia, con, del, della, ciao, grazie, buongiorno, ma,"
        " come, quando, dove, questo, questa, piu, anche, perche, vostro, e', ancora, ordine"
    ),
    "pt": (
        "o, os, as, um, uma, de, que, e, nao, com, para, meu, minha, por, em, do, da, no, na, obrigado, obrigada, ola,"
        " voce, voces, mas, como, quando, onde, muito, esta, ainda, pedido, sao, tem, bom, dia"
    ),
    "nl": (
        "de, het, een, en, ik, is, niet, mijn, van, voor, met, op, dat, dit, jullie, u, uw, maar, nog, hoe, wanneer,"
        " waar, hallo, bedankt, graag, heb, hebben, bestelling, wel, geen, ook, naar, bij, dank, je"
    ),
}
"""The commonest words: by these the language is told."""

LETTERS: Mapping[str, str] = {"es": "ñ¿¡", "de": "ßäö", "fr": "èêçœûîà", "pt": "ãõ"}
"""Letters that hardly any other of these languages has."""

SCRIPTS: tuple[tuple[str, int, int], ...] = (
    ("el", 0x0370, 0x03FF),
    ("ru", 0x0400, 0x04FF),
    ("he", 0x0590, 0x05FF),
    ("ar", 0x0600, 0x06FF),
    ("hi", 0x0900, 0x097F),
    ("th", 0x0E00, 0x0E7F),
    ("ja", 0x3040, 0x30FF),
    ("zh", 0x4E00, 0x9FFF),
    ("ko", 0xAC00, 0xD7AF),
)
"""Scripts that tell a language, or nearly. Ranges of https://www.unicode.org/Public/UCD/latest/ucd/Blocks.txt
(2026-11)."""

package io.github.loragraph.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TaggingTest {
  private static List<String> tags(String text) {
    return List.of(text.split(" "));
  }

  private static Tagging of(String... sentences) {
    List<Tagging.Tagged> tagged = new ArrayList<>();
    int line = 1;
    for (String sentence : sentences) {
      List<String> tags = tags(sentence);
      Words words = new Words(Collections.nCopies(tags.size(), "w"), true);
      tagged.add(new Tagging.Tagged(Row.of(words, null, "f.conll:" + line), tags));
      line += tags.size() + 1;
    }
    return Tagging.of(tagged);
  }

  @ParameterizedTest
  @CsvSource({
    "BIO, B-PER I-PER O B-LOC B-LOC",
    "BIO, O B-PER O",
    "IOB1, I-PER I-PER O I-LOC B-LOC",
    "IOB1, I-PER I-LOC",
    "BIOES, B-PER I-PER E-PER S-LOC O",
    "BIOES, S-LOC",
    "BILOU, B-PER L-PER U-LOC O -100",
    "BIO, B I O B"
  })
  void theSchemeIsRecognised(TagScheme scheme, String text) {
    assertEquals(Optional.of(scheme), of(text, "O O").scheme());
  }

  @Test
  void whatIsNoSchemeIsSaid() {
    Tagging plain = of("NOUN VERB", "O");
    assertEquals(Optional.empty(), plain.scheme());
    assertTrue(plain.note().contains("labels of single words"), plain.note());
    assertTrue(of("O O").note().contains("outside"));
    assertTrue(of("I-PER O").note().contains("there is no B-"));
    assertEquals("tags are BIO, 2 sentences with LOC, PER", of("B-PER I-PER", "B-LOC").note());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "f.conll:4 has 'I-PER' after 'O', and 2 other entities begin with B-|B-PER O|O-|B-LOC",
        "f.conll:3 has 'B-PER' after 'O', and 2 other entities begin with I-|I-PER O B-PER|I-LOC|O",
        "f.conll:2 has the tag 'PERSON', and others begin with B-, I-|B-PER PERSON|O|O",
        "f.conll:2 has 'E-LOC' after 'O', and the other tags are BIOES|O E-LOC|O|O",
        "f.conll:1 has 'B-LOC' before 'O', and the other tags are BIOES|B-LOC O S-LOC|O|O",
        "f.conll:1 has 'B-PER' before 'E-LOC', and the other tags are BIOES|B-PER E-LOC|O|O",
        "f.conll: tags are of BIOES (E-, S-) and of BILOU (L-, U-), mixed|S-LOC|U-LOC|O"
      })
  void whatFollowsNoSchemeIsRefused(String words, String first, String second, String third) {
    String inside = second.equals("O-") ? "I-PER" : second;
    LoraGraphException e = assertThrows(LoraGraphException.class, () -> of(first, inside, third));
    String expected = words.replace("'I-PER' after 'O'", "'I-PER' after nothing");
    assertTrue(e.getMessage().startsWith(expected), e.getMessage());
  }

  /**
   * What is written in a scheme is read as the same entities, and recognised unless it is clear.
   */
  @ParameterizedTest
  @EnumSource
  void eachSchemeSaysTheSameEntities(TagScheme scheme) {
    Random random = new Random(5);
    for (int round = 0; round < 200; round++) {
      int words = 1 + random.nextInt(12);
      List<EntitySpan> entities = new ArrayList<>();
      for (int at = random.nextInt(3); at < words; ) {
        int end = Math.min(words, at + 1 + random.nextInt(3));
        entities.add(new EntitySpan(at, end, random.nextBoolean() ? "A" : "B"));
        at = end + random.nextInt(2);
      }
      List<String> tags = scheme.tags(entities, words);
      assertEquals(entities, TagScheme.entities(tags), tags::toString);
    }
    assertEquals(
        Optional.of(scheme),
        TagScheme.of(
            switch (scheme) {
              case IOB1 -> List.of("O", "I-X");
              case BIO -> List.of("I-X", "O", "B-X");
              case BIOES -> List.of("O", "B-X", "I-X", "E-X", "S-X");
              case BILOU -> List.of("O", "B-X", "I-X", "L-X", "U-X");
            }));
    assertEquals(Optional.empty(), TagScheme.of(List.of("O", "X")));
    assertEquals(Optional.empty(), TagScheme.of(List.of("B-X", "I-X")));
  }

  /** The two functions of conlleval, as seqeval's default mode has them, for B, I, E and S. */
  private static List<EntitySpan> conlleval(List<String> tags) {
    List<EntitySpan> chunks = new ArrayList<>();
    String before = "O";
    String typeBefore = "";
    int begin = 0;
    List<String> all = new ArrayList<>(tags);
    all.add("O");
    for (int i = 0; i < all.size(); i++) {
      String tag = all.get(i).substring(0, 1);
      String type = all.get(i).length() > 2 ? all.get(i).substring(2) : "_";
      boolean other = !typeBefore.equals(type);
      boolean ends =
          List.of("E", "S").contains(before)
              || List.of("B", "I").contains(before) && List.of("B", "S", "O").contains(tag)
              || !before.equals("O") && other;
      boolean starts =
          List.of("B", "S").contains(tag)
              || List.of("E", "S", "O").contains(before) && List.of("E", "I").contains(tag)
              || !tag.equals("O") && other;
      if (ends) {
        chunks.add(new EntitySpan(begin, i, typeBefore));
      }
      if (starts) {
        begin = i;
      }
      before = tag;
      typeBefore = type;
    }
    return chunks;
  }

  @Test
  void tagsOfNoSchemeAreReadAsSeqevalDoes() {
    Random random = new Random(3);
    String[] all = {"O", "B-X", "I-X", "E-X", "S-X", "B-Y", "I-Y", "E-Y", "S-Y"};
    for (int round = 0; round < 5000; round++) {
      String[] tags = new String[1 + random.nextInt(8)];
      Arrays.setAll(tags, i -> all[random.nextInt(all.length)]);
      assertEquals(
          conlleval(List.of(tags)), TagScheme.entities(List.of(tags)), () -> List.of(tags) + "");
    }
  }
}

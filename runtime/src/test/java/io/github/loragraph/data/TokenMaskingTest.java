package io.github.loragraph.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is masked: how often, what of, and by what it follows. */
class TokenMaskingTest {
  private static final int VOCABULARY = 1000;
  private static final int MASK = 4;
  private static final int LENGTH = 50;
  private static final MaskVocabulary TOKENS =
      new MaskVocabulary(MASK, "<mask>", VOCABULARY, Set.of(0, 1, 2, 3, MASK));

  /** Words of one to three tokens between two special ones. */
  private static Example example(int number) {
    int[] ids = new int[LENGTH];
    int[] words = new int[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
      boolean special = i == 0 || i == LENGTH - 1;
      ids[i] = special ? 0 : 10 + (number * 31 + i * 7) % 900;
      words[i] = special ? -100 : i * 2 / 5;
    }
    return new Example(Map.of("input_ids", Values.of(ids)), Values.of(words));
  }

  private static Values ids(Example example) {
    return example.inputs().get("input_ids");
  }

  /** Within five deviations of a binomial count. */
  private static void assertShare(double expected, long count, long of) {
    double deviation = Math.sqrt(of * expected * (1 - expected));
    assertTrue(
        Math.abs(count - expected * of) < 5 * deviation,
        "%d of %d where %s are expected".formatted(count, of, expected));
  }

  private static void counted(Masking masking) {
    TokenMasking view = new TokenMasking(masking, TOKENS, 7);
    long tokens = 0;
    long chosen = 0;
    long masks = 0;
    long same = 0;
    for (int n = 0; n < 2000; n++) {
      Example plain = example(n);
      Example masked = view.at(n % 3, n, plain);
      for (int i = 0; i < LENGTH; i++) {
        double target = masked.requireTarget().get(i);
        if (plain.requireTarget().get(i) < 0) {
          assertEquals(-100, target, "a special token");
        } else {
          tokens++;
        }
        if (target < 0) {
          assertEquals(ids(plain).get(i), ids(masked).get(i), "what is not chosen stays");
          continue;
        }
        assertEquals(ids(plain).get(i), target);
        chosen++;
        masks += ids(masked).get(i) == MASK ? 1 : 0;
        same += ids(masked).get(i) == target ? 1 : 0;
      }
    }
    // Words are drawn and not tokens: their count varies more, by the tokens that each has.
    long perDraw = masking.wholeWords() ? 3 : 1;
    assertShare(masking.probability(), chosen / perDraw, tokens / perDraw);
    // A random token may be the mask, or the same, once in a vocabulary.
    assertShare(0.8 + 0.1 / VOCABULARY, masks, chosen);
    assertShare(0.1 + 0.1 / VOCABULARY, same, chosen);
  }

  @Test
  void asManyAsTransformersMasks() {
    counted(Masking.USUAL);
    counted(new Masking(0.4, false));
    counted(new Masking(0.15, true));
  }

  @Test
  void theTokensOfAWordGoTogether() {
    TokenMasking view = new TokenMasking(new Masking(0.3, true), TOKENS, 1);
    for (int n = 0; n < 200; n++) {
      Example plain = example(n);
      Values target = view.at(0, n, plain).requireTarget();
      for (int i = 2; i < LENGTH - 1; i++) {
        if (plain.requireTarget().get(i) == plain.requireTarget().get(i - 1)) {
          assertEquals(target.get(i) < 0, target.get(i - 1) < 0, "token " + i + " of " + n);
        }
      }
    }
  }

  @Test
  void followsFromSeedEpochAndPlace() {
    Example plain = example(0);
    TokenMasking view = new TokenMasking(Masking.USUAL, TOKENS, 5);
    Example first = view.at(2, 9, plain);
    assertEquals(first, new TokenMasking(Masking.USUAL, TOKENS, 5).at(2, 9, plain));
    assertNotEquals(first, view.at(3, 9, plain));
    assertNotEquals(first, view.at(2, 10, plain));
    assertNotEquals(first, new TokenMasking(Masking.USUAL, TOKENS, 6).at(2, 9, plain));
    Example padding = plain.uncounted();
    assertEquals(padding, view.at(2, 9, padding), "rows that fill up a batch are not masked");
  }
}

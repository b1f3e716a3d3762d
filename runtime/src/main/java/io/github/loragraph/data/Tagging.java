package io.github.loragraph.data;

import io.github.loragraph.error.Counted;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What the tags of the words of some data are: of which scheme, recognised from all of them, and
 * held to it.
 *
 * @param scheme empty where the tags are none: each is the label of its word alone
 * @param types of the entities, sorted
 * @param sentences how many there are
 * @param note what is worth saying of it, in one line
 */
public record Tagging(
    Optional<TagScheme> scheme, Set<String> types, int sentences, @Nullable String note) {
  private static final int LONGEST_SHOWN = 40;

  /** Words that do not count. */
  private static final String IGNORED = "-100";

  /**
   * The tags of a sentence.
   *
   * @param row for messages
   * @param tags one for each word; {@code -100} where it does not count
   */
  public record Tagged(Row row, List<String> tags) {
    private boolean isOutside(int word) {
      return tags.get(word).equals(TagScheme.OUTSIDE) || tags.get(word).equals(IGNORED);
    }

    private char prefix(int word) {
      return word < 0 || word >= tags.size() || isOutside(word)
          ? 'O'
          : TagScheme.prefix(tags.get(word));
    }

    private String type(int word) {
      return prefix(word) == 'O' ? "" : TagScheme.type(tags.get(word));
    }

    /** Whether a word may go on with the entity of the one before it, by type and end. */
    private boolean isAfterItsLike(int word) {
      return prefix(word - 1) != 'O' && type(word - 1).equals(type(word));
    }

    private String shown(int word) {
      return word < 0 || word >= tags.size()
          ? "nothing"
          : "'" + PlainText.shortened(tags.get(word), LONGEST_SHOWN) + "'";
    }
  }

  /**
   * Recognises the scheme.
   *
   * @throws LoraGraphException if the tags follow none: it names the line of the first that does
   *     not
   */
  public static Tagging of(List<Tagged> sentences) {
    Count count = new Count();
    sentences.forEach(count::add);
    if (count.dashed == 0 && (count.plain != null || count.tags == 0)) {
      return plain(count, sentences.size());
    }
    if (count.plain != null) {
      throw new LoraGraphException(
          count.plain
              + ", and others begin with B-, I- or the like: give each word O or a tag of one scheme");
    }
    boolean ends = count.ends;
    if (ends && count.lasts) {
      throw new LoraGraphException(
          "%s: tags are of BIOES (E-, S-) and of BILOU (L-, U-), mixed: write them in one scheme"
              .formatted(sentences.get(0).row().source()));
    }
    if (ends || count.lasts) {
      TagScheme scheme = ends ? TagScheme.BIOES : TagScheme.BILOU;
      sentences.forEach(sentence -> requireClosed(sentence, scheme));
      return recognised(scheme, count, sentences.size(), "");
    }
    if (count.insideFirst > 0 && count.beginFirst > 0) {
      boolean mostBegin = count.beginFirst >= count.insideFirst;
      throw new LoraGraphException(
          mostBegin
              ? "%s, and %,d other entities begin with B-: begin it with B-, as BIO does"
                  .formatted(count.firstInside, count.beginFirst)
              : "%s, and %,d other entities begin with I-: begin it with I-, as IOB1 does where none of its type goes right before"
                  .formatted(count.firstBegin, count.insideFirst));
    }
    return count.insideFirst > 0
        ? recognised(
            TagScheme.IOB1,
            count,
            sentences.size(),
            count.begins == 0 ? " (there is no B-: neighbours of one type are taken for one)" : "")
        : recognised(TagScheme.BIO, count, sentences.size(), "");
  }

  private static Tagging plain(Count count, int sentences) {
    return new Tagging(
        Optional.empty(),
        Set.of(),
        sentences,
        count.plain == null
            ? "all words are outside of entities (O)"
            : "tags without B- and I- are labels of single words: nothing is counted by entity");
  }

  private static Tagging recognised(TagScheme scheme, Count count, int sentences, String remark) {
    return new Tagging(
        Optional.of(scheme),
        count.types,
        sentences,
        "tags are %s%s, %s with %s"
            .formatted(
                scheme,
                remark,
                Counted.of(sentences, "sentence", "sentences"),
                PlainText.shortened(String.join(", ", count.types), 4 * LONGEST_SHOWN)));
  }

  /** Counts what tells schemes apart. */
  private static final class Count {
    private final Set<String> types = new TreeSet<>();
    private long tags;
    private long dashed;
    private long begins;
    private long beginFirst;
    private long insideFirst;
    private boolean ends;
    private boolean lasts;
    private @Nullable String plain;
    private @Nullable String firstInside;
    private @Nullable String firstBegin;

    void add(Tagged sentence) {
      for (int word = 0; word < sentence.tags.size(); word++) {
        if (sentence.isOutside(word)) {
          continue;
        }
        String tag = sentence.tags.get(word);
        if (!TagScheme.isTag(tag)) {
          plain =
              plain == null
                  ? "%s has the tag %s".formatted(sentence.row.placeOf(word), sentence.shown(word))
                  : plain;
          continue;
        }
        tags++;
        dashed += tag.length() > 1 ? 1 : 0;
        types.add(TagScheme.type(tag));
        char prefix = tag.charAt(0);
        ends |= prefix == 'E' || prefix == 'S';
        lasts |= prefix == 'L' || prefix == 'U';
        begins += prefix == 'B' ? 1 : 0;
        if (sentence.isAfterItsLike(word)) {
          continue;
        }
        String place =
            "%s has %s after %s"
                .formatted(
                    sentence.row.placeOf(word), sentence.shown(word), sentence.shown(word - 1));
        if (prefix == 'I') {
          insideFirst++;
          firstInside = firstInside == null ? place : firstInside;
        } else if (prefix == 'B') {
          beginFirst++;
          firstBegin = firstBegin == null ? place : firstBegin;
        }
      }
    }
  }

  /** In schemes that mark ends each entity has its begin and its end, or is one word. */
  private static void requireClosed(Tagged sentence, TagScheme scheme) {
    String open = "BI";
    for (int word = 0; word < sentence.tags.size(); word++) {
      char prefix = sentence.prefix(word);
      boolean inside = prefix == 'I' || prefix == 'E' || prefix == 'L';
      boolean afterOpen =
          open.indexOf(sentence.prefix(word - 1)) >= 0 && sentence.isAfterItsLike(word);
      if (inside && !afterOpen) {
        throw broken(sentence, word, "after " + sentence.shown(word - 1), scheme);
      }
      boolean goesOn =
          "IEL".indexOf(sentence.prefix(word + 1)) >= 0
              && sentence.type(word + 1).equals(sentence.type(word));
      if ((prefix == 'B' || prefix == 'I') && !goesOn) {
        throw broken(sentence, word, "before " + sentence.shown(word + 1), scheme);
      }
    }
  }

  private static LoraGraphException broken(
      Tagged sentence, int word, String where, TagScheme scheme) {
    return new LoraGraphException(
        "%s has %s %s, and the other tags are %s: an entity is %s"
            .formatted(
                sentence.row.placeOf(word),
                sentence.shown(word),
                where,
                scheme,
                scheme == TagScheme.BIOES
                    ? "S-, or B- I- ... E-, all of one type"
                    : "U-, or B- I- ... L-, all of one type"));
  }
}

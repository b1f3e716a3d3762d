package io.github.loragraph.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * How tags of words say where entities begin and end: {@code B-PER} is the begin of one of type
 * {@code PER}, {@code O} is outside of all.
 */
public enum TagScheme {
  /** Begins with {@code I-}; with {@code B-} only where one of the same type goes right before. */
  IOB1("BI"),
  /** Begins with {@code B-} and goes on with {@code I-}. Also known as IOB2. */
  BIO("BI"),
  /** As BIO, ends with {@code E-}; of one word {@code S-}. Also known as IOBES. */
  BIOES("BIES"),
  /** As BIO, ends with {@code L-}; of one word {@code U-}. */
  BILOU("BILU");

  /** What is outside of all entities. */
  public static final String OUTSIDE = "O";

  /** The type of tags that name none: {@code B} and {@code I}; seqeval calls it so. */
  private static final String NO_TYPE = "_";

  private final String prefixes;

  TagScheme(String prefixes) {
    this.prefixes = prefixes;
  }

  /** Whether a tag begins as one of a scheme does: {@code B-PER}, {@code S}. */
  static boolean isTag(String tag) {
    return !tag.isEmpty()
        && "BIESLU".indexOf(tag.charAt(0)) >= 0
        && (tag.length() == 1 || tag.length() > 2 && tag.charAt(1) == '-');
  }

  static char prefix(String tag) {
    return isTag(tag) ? tag.charAt(0) : 'O';
  }

  static String type(String tag) {
    return tag.length() > 2 && isTag(tag) ? tag.substring(2) : NO_TYPE;
  }

  private static String tag(char prefix, String type) {
    return type.equals(NO_TYPE) ? String.valueOf(prefix) : prefix + "-" + type;
  }

  /**
   * The scheme of the classes of a head; empty where they are no tags: then one is not {@code O},
   * nor begins as a tag does.
   */
  public static Optional<TagScheme> of(List<String> names) {
    if (!names.contains(OUTSIDE) || names.size() < 2) {
      return Optional.empty();
    }
    StringBuilder there = new StringBuilder();
    for (String name : names) {
      if (!name.equals(OUTSIDE) && !isTag(name)) {
        return Optional.empty();
      }
      there.append(prefix(name));
    }
    boolean ends = there.indexOf("E") >= 0 || there.indexOf("S") >= 0;
    boolean lasts = there.indexOf("L") >= 0 || there.indexOf("U") >= 0;
    if (ends && lasts) {
      return Optional.empty();
    }
    return Optional.of(ends ? BIOES : lasts ? BILOU : there.indexOf("B") >= 0 ? BIO : IOB1);
  }

  /** All tags for entities of a type. */
  public List<String> tagsOf(String type) {
    List<String> tags = new ArrayList<>();
    for (int i = 0; i < prefixes.length(); i++) {
      tags.add(tag(prefixes.charAt(i), type));
    }
    return tags;
  }

  /** The tag of what goes on with an entity that this is a tag of; the same where it is none. */
  public static String goingOn(String tag) {
    return isTag(tag) ? tag('I', type(tag)) : tag;
  }

  /**
   * The entities that tags say, of any scheme, also of one that is not kept to. An entity begins at
   * {@code B-}, {@code S-} or {@code U-}, and at any other tag that is not inside of one of its
   * type; it ends before the next begin, before {@code O}, and with {@code E-}, {@code L-}, {@code
   * S-} and {@code U-}. Without {@code L-} and {@code U-} that is seqeval's default mode, which is
   * conlleval's. That mode does not know these two; where BILOU is kept to, entities are those of
   * seqeval's mode for this scheme.
   *
   * @return spans of words, in their order
   */
  public static List<EntitySpan> entities(List<String> tags) {
    List<EntitySpan> entities = new ArrayList<>();
    int begin = -1;
    String type = "";
    for (int word = 0; word < tags.size(); word++) {
      String tag = tags.get(word);
      char prefix = prefix(tag);
      boolean goesOn = begin >= 0 && "IEL".indexOf(prefix) >= 0 && type(tag).equals(type);
      if (begin >= 0 && !goesOn) {
        entities.add(new EntitySpan(begin, word, type));
        begin = -1;
      }
      if (prefix == 'O') {
        continue;
      }
      if (begin < 0) {
        begin = word;
        type = type(tag);
      }
      if ("ESLU".indexOf(prefix) >= 0) {
        entities.add(new EntitySpan(begin, word + 1, type));
        begin = -1;
      }
    }
    if (begin >= 0) {
      entities.add(new EntitySpan(begin, tags.size(), type));
    }
    return entities;
  }

  /**
   * The tags of this scheme that say entities.
   *
   * @param entities spans of words, in their order, none in another
   * @param words how many there are
   */
  public List<String> tags(List<EntitySpan> entities, int words) {
    String[] tags = new String[words];
    Arrays.fill(tags, OUTSIDE);
    EntitySpan before = null;
    for (EntitySpan entity : entities) {
      boolean touches =
          before != null && before.end() == entity.start() && before.type().equals(entity.type());
      for (int word = entity.start(); word < entity.end(); word++) {
        boolean first = word == entity.start();
        boolean last = word == entity.end() - 1;
        tags[word] = tag(prefix(first, last, touches), entity.type());
      }
      before = entity;
    }
    return Collections.unmodifiableList(Arrays.asList(tags));
  }

  private char prefix(boolean first, boolean last, boolean touches) {
    if (this == IOB1) {
      return first && touches ? 'B' : 'I';
    }
    boolean marksEnds = this != BIO;
    if (first) {
      return last && marksEnds ? prefixes.charAt(3) : 'B';
    }
    return last && marksEnds ? prefixes.charAt(2) : 'I';
  }
}

package io.github.loragraph.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.file.ProcessLock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenCacheTest {
  private static final byte[] DESCRIPTION = "whole".getBytes(StandardCharsets.UTF_8);

  @TempDir Path folder;

  private Object lockFile() throws IOException {
    return Objects.requireNonNull(
        Files.readAttributes(folder.resolve("key.lock"), BasicFileAttributes.class).fileKey());
  }

  /** Who has opened the file to lock it next is to have the one that others lock, too. */
  @Test
  void lockFileOfAKeyStaysTheSame() throws IOException {
    TokenCache cache = new TokenCache(folder);
    TokenCache.Place place = cache.begin("key");
    Object file = lockFile();
    place.clear();
    place.close();
    assertEquals(file, lockFile());
    cache.begin("key").clear();
    Files.createDirectories(folder.resolve("other"));
    cache.begin("another").close();
    assertEquals(file, lockFile());
  }

  @Test
  void whatAnotherHasMadeMeanwhileStays() throws IOException {
    TokenCache cache = new TokenCache(folder);
    assertTrue(cache.find("key").isEmpty());
    try (TokenCache.Place other = cache.begin("key")) {
      other.clear();
      other.complete(DESCRIPTION);
    }
    TokenCache.Place place = cache.begin("key");
    assertTrue(place.isKept());
    assertTrue(cache.find("key").isPresent());
    place.leave();
    assertTrue(cache.find("key").isPresent());
  }

  @Test
  void twoAtWorkOnOneKeyHaveFoldersOfTheirOwnAndOneIsKept() throws IOException {
    TokenCache cache = new TokenCache(folder);
    TokenCache.Place first = cache.begin("key");
    first.clear();
    TokenCache.Place second = cache.begin("key");
    second.clear();
    assertFalse(second.isKept());
    assertFalse(first.path().equals(second.path()));
    second.complete(DESCRIPTION);
    assertTrue(cache.find("key").isEmpty());
    first.complete(DESCRIPTION);
    second.close();
    first.close();
    assertTrue(cache.find("key").isPresent());
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(
          List.of("key", "key.lock"), left.map(p -> p.getFileName().toString()).sorted().toList());
    }
  }

  /** Also while somebody makes it anew. */
  @Test
  void leastUsedGoesUnlessItIsAtWork() throws IOException {
    TokenCache cache = new TokenCache(folder, 100);
    for (String key : List.of("old", "busy", "new")) {
      try (TokenCache.Place place = cache.begin(key)) {
        place.clear();
        Files.write(place.path().resolve("tokens.bin"), new byte[60]);
        if (key.equals("new")) {
          Optional<ProcessLock> busy = ProcessLock.tryLock(folder.resolve("busy.lock"));
          place.complete(DESCRIPTION);
          busy.orElseThrow().close();
        } else {
          Files.write(place.path().resolve(TokenCache.DESCRIPTION), DESCRIPTION);
          place.leave();
          Files.setLastModifiedTime(place.path(), FileTime.fromMillis(1));
        }
      }
    }
    assertTrue(cache.find("old").isEmpty());
    assertTrue(cache.find("busy").isPresent());
    assertTrue(cache.find("new").isPresent());
  }

  /** Never two at once in one folder, and never a folder that goes under who is in it. */
  @Test
  void manyAtOnceNeverWriteIntoOneFolder() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    AtomicInteger kept = new AtomicInteger();
    try {
      List<Future<?>> all =
          IntStream.range(0, 4)
              .<Future<?>>mapToObj(
                  thread ->
                      threads.submit(
                          () -> {
                            for (int i = 0; i < 50; i++) {
                              try (TokenCache.Place place = new TokenCache(folder).begin("key")) {
                                place.clear();
                                String mine = thread + " " + i;
                                Path file = place.path().resolve("tokens.bin");
                                Files.writeString(file, mine);
                                kept.addAndGet(place.isKept() ? 1 : 0);
                                assertEquals(mine, Files.readString(file));
                              }
                            }
                            return null;
                          }))
              .toList();
      for (Future<?> one : all) {
        one.get();
      }
    } finally {
      threads.shutdownNow();
    }
    assertTrue(kept.get() > 0);
  }
}

#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sys/integers.h"

namespace tcmufs {

/// The newest lines of a log, in memory, for any number of readers, each at its own place. Whoever writes
/// never waits for a reader: one that is too slow is told how many lines it has missed. All members, also of
/// readers, may be called from any thread; nothing that blocks is done under the lock.
class EventRing {
 public:
  /// What a line is about. Lines are counted per topic, so that a reader of one knows what it has missed.
  class Topic {
    friend class EventRing;
    u64 count_ = 0;       // guarded by the ring's mutex, as the next
    bool ended_ = false;  // there will be no more lines
  };

  /// A place among the lines, of one topic or of all. The ring must outlive it.
  class Reader {
   public:
    /// Takes as much as there is and fits, of whole lines or not. Nothing: there is nothing yet; 0: nothing
    /// will come any more.
    std::optional<std::size_t> read(std::span<std::byte> buffer);
    /// Whether read() has an answer.
    bool ready() const;
    /// Whether that answer is 0.
    bool at_end() const;

   private:
    friend class EventRing;
    Reader(EventRing& ring, std::shared_ptr<Topic> topic);
    // Want the ring's mutex locked.
    bool next_line();
    bool has_more() const;
    bool ended() const;
    u64 count() const;

    EventRing& ring_;
    const std::shared_ptr<Topic> topic_;  // nullptr: all
    // Guarded by the ring's mutex.
    u64 position_ = 0;    // of the ring's lines: none before that one is wanted
    u64 next_ = 0;        // of the topic's lines: the one that is next
    std::string line_;    // that is being read,
    std::size_t at_ = 0;  // up to here
  };

  /// Keeps so many lines, and not more bytes of them.
  explicit EventRing(std::size_t most_lines = 1000, std::size_t most_bytes = std::size_t{1} << 20);

  static std::shared_ptr<Topic> new_topic() { return std::make_shared<Topic>(); }

  /// `line` ends in a newline; `topic` may be nullptr. One for which there is no memory is missed by all.
  void add(const std::shared_ptr<Topic>& topic, std::string line) noexcept;
  /// Who reads the topic gets what is left of it, and then the end.
  void end(Topic& topic) noexcept;

  /// A reader that begins with the oldest line that is kept.
  std::shared_ptr<Reader> reader(std::shared_ptr<Topic> topic = nullptr);

  /// `event`, an eventfd, is raised after each change, until unlisten().
  void listen(int event);
  void unlisten(int event) noexcept;

 private:
  struct Line {
    u64 number = 0;           // among all
    u64 number_of_topic = 0;  // among those of its topic
    std::shared_ptr<Topic> topic;
    std::string text;
  };

  void wake() noexcept;

  const std::size_t most_lines_;
  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::deque<Line> lines_;  // guarded by mutex_, like all that follows
  std::size_t bytes_ = 0;   // of all lines
  u64 count_ = 0;           // of all lines there ever were
  std::vector<int> listeners_;
};

}  // namespace tcmufs

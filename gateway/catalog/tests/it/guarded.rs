use cofre_catalog::{Check, Committed, GuardedBatch, Memory};

#[tokio::test]
async fn what_is_appended_keeps_its_meanings_and_what_it_frees() {
    let store = Memory::new();
    for (frees, other_frees) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut batch = GuardedBatch::new();
        batch.frees = frees;
        batch.put(b"a".to_vec(), b"1".to_vec());
        let mut other = GuardedBatch::new();
        other.require(Check::Absent(b"b".to_vec()), "b is there");
        other.frees = other_frees;
        other.put(b"b".to_vec(), b"2".to_vec());
        other.delete(b"a".to_vec());
        batch.append(other, str::len);
        assert_eq!(batch.frees, frees || other_frees);
        assert_eq!((batch.checks.len(), batch.writes.len()), (1, 3));
        let outcome = batch.commit(&store).await.expect("it is committed");
        match frees || other_frees {
            false => assert!(matches!(outcome, Committed::Done(_))),
            true => assert_eq!(outcome, Committed::Refused("b is there".len())),
        }
    }
}
